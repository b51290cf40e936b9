"""A segmenter on rows of the catalogue, where no shards are written yet: what the gate judges photos with."""

from __future__ import annotations

import torch

from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows
from augkit.settings import SegmenterSettings
from augkit.stages.catalogue_pairs import CataloguePairs
from augkit.stages.segmenter import load_segmenter, segmenter_task
from augkit.stages.stage_training import trained_by
from augkit.stages.trainable import TRAINABLE, TrainableStage
from augkit.train.run import TrainingTask


def row_segmenter_task(  # noqa: PLR0917  # what every stage's builder is given
    name: str,
    workspace: Workspace,
    rows: TrainingRows,
    schema: PartSchema,
    settings: SegmenterSettings,
    device: torch.device,
) -> TrainingTask:
    """The segmenter on the rows' pairs."""
    del name
    return segmenter_task(workspace, CataloguePairs(workspace, rows.rows, schema), settings, device)


TRAINABLE.register("gate-segmenter")(
    TrainableStage(lambda settings: settings.gate.segmenter, trained_by(row_segmenter_task), load_segmenter)
)
