"""A teacher's segmenters: the stage that trains one, and those of a trained teacher as one reader.

WORKSPACE/models/teacher/all/
  round-R/fold-F/     the segmenters
  teacher.json        what they are, and the rule by which readings count; written last
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from augkit.core.errors import CheckpointError
from augkit.core.parts import PartSchema
from augkit.core.typed import read_json
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows
from augkit.settings import SegmenterSettings, Settings
from augkit.sources.teacher.car_reader import CarReader
from augkit.sources.teacher.thresholds import PartThresholds
from augkit.stages.catalogue_pairs import CataloguePairs
from augkit.stages.photo_readings import PhotoReader, ReadingRule
from augkit.stages.pseudo_pairs import StudentPairs
from augkit.stages.segmenter import load_segmenter, segmenter_task
from augkit.train.run import TrainingTask

STAGE = "teacher"
TEACHER_FILE = "teacher.json"


def teacher_task(  # noqa: PLR0917  # what every stage's builder is given
    name: str,
    workspace: Workspace,
    rows: TrainingRows,
    schema: PartSchema,
    settings: SegmenterSettings,
    device: torch.device,
    readings: Path | None = None,
) -> TrainingTask:
    """A segmenter on labelled rows, and on what the round before read."""
    del name
    pairs = StudentPairs(CataloguePairs(workspace, rows.rows, schema), schema, readings)
    return segmenter_task(workspace, pairs, settings, device)


def load_teacher(workspace: Workspace, settings: Settings) -> PhotoReader:
    """The trained teacher of a workspace. Raises CheckpointError where there is none, or one of other parts."""
    folder = workspace.model(STAGE, "all")
    about = read_teacher(folder)
    if "thresholds" not in about:
        raise CheckpointError(f"{folder}: no trained teacher", "one that can read photos", "augkit train teacher")
    schema, trained = PartSchema.load(workspace.schema), PartSchema.from_dict(about["schema"])
    if trained.digest != schema.digest:
        raise CheckpointError(
            f"{folder}: a teacher of the parts {', '.join(trained.names[1:])}",
            f"the workspace's parts: {', '.join(schema.names[1:])}", "augkit train teacher --fresh",
        )  # fmt: skip
    places = [folder / f"round-{about['round']}" / f"fold-{fold}" for fold in range(about["folds"])]
    rule = ReadingRule(
        PartThresholds.from_list(about["thresholds"]), about["least_car"], about["least_confidence"],
        about["least_sure"],
    )  # fmt: skip
    reader = open_reader(places, schema, about["scales"])
    return PhotoReader(reader, rule, settings.data.size, settings.data.margin)


def read_teacher(folder: Path) -> dict[str, Any]:
    """``teacher.json``; empty where there is none."""
    try:
        return read_json(dict[str, Any], folder / TEACHER_FILE)
    except (OSError, ValueError):
        return {}


def open_reader(folders: Sequence[Path], schema: PartSchema, scales: Sequence[float]) -> CarReader:
    """Trained segmenters together."""
    loaded = [load_segmenter(folder) for folder in folders]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    networks: list[nn.Module] = [network.to(device) for network, _ in loaded]
    return CarReader(networks, int(loaded[0][1]["size"]), schema, scales)
