"""Experiment trackers that a run may tell of its losses. Their packages are imported only where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Literal

from augkit.core.errors import ConfigError

Tracker = Literal["tensorboard", "wandb", "trackio", "mlflow"]


def require_trackers(names: Sequence[Tracker]) -> None:
    """Raises ConfigError where a tracker's package is not installed."""
    lacking = [name for name in names if find_spec(name) is None]
    if lacking:
        raise ConfigError(
            f"track {', '.join(lacking)}: not installed", "the tracker's package", f"pip install {' '.join(lacking)}"
        )
