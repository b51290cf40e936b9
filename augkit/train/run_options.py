"""What the parts of a run are told, as plain values; each is explained where it is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AdamOptions:
    """Adam of one player."""

    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0


@dataclass(frozen=True)
class RunOptions:
    """How long a run is and what its steps take: ``turns`` batches of ``batch`` rows each.

    ``ema`` is the decay of the moving average, ``workers`` the processes that load rows.
    """

    steps: int
    batch: int
    turns: int = 1
    microbatches: int = 1
    ema: float = 0.999
    sample_every: int = 500
    save_every: int = 500
    workers: int = 0

    @property
    def rows(self) -> int:
        """Rows that one step takes from the data."""
        return self.batch * self.turns


@dataclass(frozen=True)
class SelectionOptions:
    """When states are judged, and what ends the run.

    A state is judged every so many steps. The run ends after ``patience`` judgements in a row that found D or G
    collapsed; G has where samples differ from each other by less than ``diversity`` of what real pictures do.
    """

    every: int = 250
    diversity: float = 0.3
    patience: int = 3
