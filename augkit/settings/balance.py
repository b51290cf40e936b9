"""Section of the main job."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from augkit.core.arithmetic import Device, Precision
from augkit.core.section import LARGEST, Count, CountOrZero, Section

PairSource = Literal["pseudo", "generated", "rendered"]


class BalanceSettings(Section):
    """The main job."""

    target_per_class: Count = 500
    target_parts: dict[str, Annotated[float, Field(gt=0.0, lt=1.0)]] = Field(default_factory=dict)
    """Shares of the cars' pixels, over all pairs for training, that parts should have; by the part's name."""
    sources: tuple[PairSource, ...] = ("pseudo", "generated")
    """What lacking pairs are taken from: first photos that a teacher read, then generated pairs; ``rendered`` takes the
    masks of these from rendered cars, for rare classes, and for all without ``generated``."""
    rendered_below: Count = 10
    """A class with fewer training pairs (mirror images count) is rare: with ``rendered`` among the sources its masks
    are those of rendered cars."""
    shard_size: Count = 64
    workers: Count | Literal["auto"] = "auto"
    """Of Ray; ``auto``: as many as the cluster has room for, and more as it grows."""
    threads: Count = 1
    """CPU threads of one worker; part of what makes bytes repeat, so equal for every executor."""
    device: Device = "auto"
    """Where pairs are generated; ``auto``: as the shards at hand, else on a GPU if this machine has one."""
    batch: Count | Literal["auto"] = "auto"
    """Candidates that a worker makes at once; ``auto``: as the shards at hand, else 1, on a GPU as its memory holds."""
    gpus_per_worker: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """On Ray: the share of a GPU that a worker takes."""
    precision: Precision = "auto"
    """What stage II computes in (docs/balance.md); ``auto``: that of the shards at hand, else this processor's."""
    attempts: Annotated[float, Field(ge=1.0, le=LARGEST)] = 12.0
    """Candidates that a class may cost for each pair that it lacks, before it is given up."""
    hard_sampling: Annotated[float, Field(ge=0.0, le=8.0)] = 0.0
    """Masks start from hard real ones more often: with chances proportional to (rank of its hardness)^this among the
    real masks of the class; 0 all equally often, 1 as FreeMask does. Needs the gate's check ``agreement``."""
    retries: CountOrZero = 2
    quality: Annotated[int, Field(ge=1, le=100)] = 95
    lossless: bool = False
    exemplar: str | None = None
    """Of all photos: the id of a real pair, or a photo with its mask beside it (photo.mask.png)."""

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: tuple[PairSource, ...]) -> tuple[PairSource, ...]:
        if not sources or len(set(sources)) < len(sources):
            raise ValueError("one source or more, each named once")
        return tuple(name for name in get_args(PairSource) if name in sources)  # in order of worth
