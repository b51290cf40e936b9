"""What a worker is told, and what it tells."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from augkit.balance.plan import Kind
from augkit.core.arithmetic import Arithmetic, DeviceKind
from augkit.core.workspace import Workspace
from augkit.data.crop import Photo
from augkit.gate.reference import ReferenceSet
from augkit.shards.codec import encode_photo


@dataclass(frozen=True)
class ClassModels:
    """Folders of the two stages that serve a class, for ``Workspace.bring``: below the workspace, or absolute."""

    mask: Path
    image: Path


@dataclass(frozen=True)
class FanOut:
    """How many workers there are (0: as many as there is room for), the CPU threads and the share of a GPU of each, and
    how often a shard that failed is tried again."""

    workers: int
    threads: int
    retries: int
    gpus: float = 0.0

    @property
    def needs(self) -> dict[str, float]:
        """What a worker asks of its node, by Ray's names."""
        return {"CPU": float(self.threads)} | ({"GPU": self.gpus} if self.gpus else {})

    @property
    def cpus(self) -> int:
        """What this machine offers to all workers, if they are its own."""
        return max(self.workers * self.threads or usable_cores(), self.threads)

    @property
    def at_once(self) -> int:
        """Workers of a cluster of this machine's own."""
        return self.cpus // self.threads


WORKER_BYTES = 2 << 30
"""Memory that a worker with its models takes at most, roughly."""


def usable_cores() -> int:
    """Cores that this process may use, as far as a worker on each of them finds memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, psutil.virtual_memory().total // WORKER_BYTES))


@dataclass(frozen=True)
class PairFormat:
    """Side of the pairs in pixels, and how their photos are stored."""

    size: int
    quality: int
    lossless: bool

    def encode(self, photo: Photo) -> tuple[bytes, str]:
        """(H, W, 3) RGB -> bytes and file extension."""
        return encode_photo(photo, self.quality, self.lossless)


def no_gate() -> ReferenceSet:
    """Stands for the gate of a job whose pairs are not judged."""
    raise AssertionError("nothing is judged here")


@dataclass(frozen=True)
class Job:
    """All that a worker needs to know; some kilobytes, so that it travels to any process.

    What follows ``fan_out`` is read where pairs are generated: the models of each class, what G computes in, on and how
    many at once (decided on before, so that all workers paint alike, wherever each of them is), one exemplar for all
    photos, how much harder masks are preferred, what opens the real pairs as the gate sees them, the photos that a
    teacher read so surely that they are exemplars, too, and what rendered masks are to look like.
    """

    workspace: Workspace
    location: str
    seed: int
    format: PairFormat
    fan_out: FanOut
    models: Mapping[str, ClassModels] = field(default_factory=dict)
    precision: Arithmetic = "fp32"
    device: DeviceKind = "cpu"
    batch: int = 1
    exemplar: str | None = None
    hard_sampling: float = 0.0
    references: Callable[[], ReferenceSet] = no_gate
    exemplars: tuple[str, ...] = ()
    cars: Any = None

    def folder(self, model: Path) -> Path:
        """Of a model, on this machine."""
        return self.workspace.bring(self.workspace.root / model)


@dataclass(frozen=True)
class ShardReport:
    """What became of a plan row. ``reasons`` counts why candidates were rejected; ``painted`` of the ``tried`` ones got
    a photo, and ``areas`` sums the parts' shares of the frame over the accepted ones (by part id; what is read from
    commit records has them)."""

    shard: str
    class_name: str
    wanted: int
    accepted: int
    tried: int
    reasons: dict[str, int]
    painted: int = 0
    areas: tuple[float, ...] = (0.0,)
    kind: Kind = "generated"
