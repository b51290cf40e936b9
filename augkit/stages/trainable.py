"""The stages that there are: one file each, which registers what trains it and what loads its model.

Whoever has a stage trained, or uses what it left, knows it by its name alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from augkit.core.arithmetic import Precision
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.registry import Registry
from augkit.core.trackers import Tracker
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows
from augkit.settings import Settings, TrainSettings

Loader = Callable[..., tuple[Any, dict[str, Any]]]
"""``(folder, ...) -> (sampler, description)``. Raises CheckpointError where the folder does not hold one."""


@dataclass(frozen=True)
class StageRun:
    """One training of a stage.

    ``model`` is trained on ``rows``, into ``folder``; people read its ``title``. ``start`` are folders of runs that it
    goes on from, by name; ``about`` is written down with the model. ``track`` are experiment
    trackers. The rest as in ``train.run.TrainingRun``.
    """

    model: str
    title: str
    workspace: Workspace
    rows: TrainingRows
    schema: PartSchema
    settings: TrainSettings
    precision: Precision
    folder: Path
    seed: int
    fingerprint: Mapping[str, Any]
    start: Mapping[str, Path] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    photos: tuple[str, ...] = ()
    resume: bool = False
    fresh: bool = False
    progress: Progress = silent
    seconds: float = float("inf")
    track: Sequence[Tracker] = ()


def unstyled(settings: Settings) -> bool:
    """A stage whose pictures take over no photo's appearance."""
    del settings
    return False


@dataclass(frozen=True)
class TrainableStage:
    """``settings`` are the section that describes it, ``train`` leaves a model in the run's folder and returns that,
    ``load`` opens it; ``styled`` tells whether what it makes takes over the appearance of a photo;
    ``prepare`` makes ready what it is to leave in a workspace, or raises ConfigError where it may not ``train``."""

    settings: Callable[[Settings], TrainSettings]
    train: Callable[[StageRun], Path]
    load: Loader
    styled: Callable[[Settings], bool] = unstyled
    prepare: Callable[[Workspace, Settings, Progress, bool], None] = silent


TRAINABLE: Registry[TrainableStage] = Registry("stage", "augkit.stages")
