"""What trains and loads the segmenters of the check ``agreement``: handed in, since the gate trains nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from augkit.core.progress import Progress
from augkit.data.catalogue import CatalogueRow


class Segmenters(Protocol):
    """Segmenters of one workspace, all with the same settings."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What they follow from beside pairs and seed, as plain data: a gate is found again by it."""

    def train(self, rows: Sequence[CatalogueRow], folder: Path, seed: int, progress: Progress) -> None:
        """Trains one on the rows' pairs, and leaves it in the folder; what was there is removed."""

    def load(self, folder: Path) -> tuple[nn.Module, int]:
        """One that was trained, and the side of the photos that it reads: (N, 3, S, S) in -1..1 -> (N, K, S, S) logits.

        Raises CheckpointError where the folder does not hold one.
        """
