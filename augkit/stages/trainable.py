"""The generator stages that there are: one file each, which registers what builds its task and what loads its model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from augkit.core.registry import Registry
from augkit.train.run import TrainingTask

Loader = Callable[..., tuple[nn.Module, dict[str, Any]]]
"""``(folder, ...) -> (sampler, description)``. Raises CheckpointError where the folder does not hold one."""


@dataclass(frozen=True)
class TrainableStage:
    """``build(name, workspace, rows, schema, settings, device, ...)`` gives the task, ``load`` what it trained."""

    build: Callable[..., TrainingTask]
    load: Loader


TRAINABLE: Registry[TrainableStage] = Registry("stage", "augkit.stages")
