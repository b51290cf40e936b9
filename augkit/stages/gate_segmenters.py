"""What the gate is handed to train and load its segmenters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from augkit.core.parts import PartSchema
from augkit.core.progress import Progress
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, TrainingRows
from augkit.settings import Settings, TrainSettings
from augkit.stages.trainable import TRAINABLE, StageRun
from augkit.train.fingerprint import CODE, photo_names
from augkit.train.machine import resolve_precision

STAGE = "gate-segmenter"


@dataclass(frozen=True)
class GateSegmenters:
    """Segmenters of a workspace with the same settings, each trained on rows and with a seed of its own."""

    workspace: Workspace
    schema: PartSchema
    settings: Settings

    @property
    def facts(self) -> Mapping[str, Any]:
        """The settings, as plain data."""
        return self._own.description()

    @property
    def _own(self) -> TrainSettings:
        return TRAINABLE[STAGE].settings(self.settings)

    def train(
        self,
        rows: Sequence[CatalogueRow],
        folder: Path,
        seed: int,
        progress: Progress,
        *,
        seconds: float = float("inf"),
    ) -> None:
        """Removes what was there; ``seconds`` ends the run early."""
        fingerprint = {
            **self.facts, "seed": seed, "precision": resolve_precision(self.settings.precision),
            "pairs": derive(0, *(f"{row.id}:{row.sha256}" for row in rows)), "schema": self.schema.digest,
            "code": CODE,
        }  # fmt: skip
        run = StageRun(
            model=folder.name, title=folder.name, workspace=self.workspace, rows=TrainingRows.of(rows),
            schema=self.schema, settings=self._own, precision=self.settings.precision, folder=folder, seed=seed,
            fingerprint=fingerprint, photos=tuple(photo_names(rows)), fresh=True, progress=progress,
            seconds=seconds,
        )  # fmt: skip
        TRAINABLE[STAGE].train(run)

    def load(self, folder: Path) -> tuple[nn.Module, int]:
        """Raises CheckpointError where the folder does not hold one."""
        network, about = TRAINABLE[STAGE].load(folder)
        return network, int(about["size"])
