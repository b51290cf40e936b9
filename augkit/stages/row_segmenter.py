"""Segmenters trained on rows of the catalogue, where no shards are written yet: those that the gate judges with."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from augkit.core.arithmetic import Precision
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.settings import SegmenterSettings
from augkit.stages.catalogue_pairs import CataloguePairs
from augkit.stages.segmenter import load_segmenter, segmenter_task
from augkit.train.fingerprint import CODE, photo_names
from augkit.train.machine import accelerator, resolve_precision
from augkit.train.run import TrainingRun, TrainingTask, run_task


@dataclass(frozen=True)
class RowSegmenters:
    """Segmenters of a workspace with the same settings, each trained on rows and with a seed of its own."""

    workspace: Workspace
    schema: PartSchema
    settings: SegmenterSettings
    precision: Precision

    @property
    def facts(self) -> Mapping[str, Any]:
        """The settings, as plain data."""
        return self.settings.description()

    def train(self, rows: Sequence[CatalogueRow], folder: Path, seed: int, progress: Progress) -> None:
        """In the loop that trains everything."""
        pairs = CataloguePairs(self.workspace, rows, self.schema)

        def build(device: torch.device) -> TrainingTask:
            return segmenter_task(self.workspace, pairs, self.settings, device)

        fingerprint = {
            **self.facts, "seed": seed, "precision": resolve_precision(self.precision),
            "pairs": derive(0, *(f"{row.id}:{row.sha256}" for row in pairs.rows)), "schema": self.schema.digest,
            "code": CODE,
        }  # fmt: skip
        photos = photo_names(rows)
        run = TrainingRun(folder, self.settings.run, seed, fingerprint, fresh=True, progress=progress, photos=photos)
        shutil.rmtree(folder, ignore_errors=True)
        run_task(build, run, accelerator(self.precision))

    def load(self, folder: Path) -> tuple[nn.Module, int]:
        """Raises CheckpointError where the folder does not hold one."""
        network, about = load_segmenter(folder)
        return network, int(about["size"])
