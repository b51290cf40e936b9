"""Silhouettes: the whole car around its parts. One file a method; each registers a builder.

A builder takes ``Options`` and gives a ``Method``, which is called once a pair and loads what it needs at the first
call. Builders raise ConfigError for options that have no effect on them and for files that are not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, TypeAlias

from augkit.core.errors import ConfigError
from augkit.core.parts import Mask
from augkit.core.registry import Registry
from augkit.core.regular_file import WEIGHTS, open_regular
from augkit.data.crop import Box, Photo, Region

MIN_SCORE = 0.9
"""What a detector has to be sure of by default: as in the source report on cars from street scenes."""


@dataclass(frozen=True)
class Detection:
    """The (H, W) silhouette of the car, how sure the method is (0..1), and the box round it."""

    mask: Region
    score: float
    box: Box


class Method(Protocol):
    """Finds the car of a pair. Detections below ``min_score`` are not to be used."""

    min_score: float

    def __call__(self, photo: Photo, mask: Mask) -> Detection | None:
        """(H, W, 3) RGB photo, (H, W) part ids -> the car that the parts belong to, or None."""


@dataclass(frozen=True)
class Options:
    """What the user chose; None leaves it to the method. ``weights`` is a file."""

    min_score: float | None = None
    weights: Path | None = None

    def __post_init__(self) -> None:
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise ConfigError(f"a score of at least {self.min_score}", "a number from 0 to 1")
        if self.weights is not None and not self.weights.is_file():
            raise ConfigError(f"{self.weights}: no such file", "a file with the detector's weights", "check --weights")

    @cached_property
    def digest(self) -> str:
        """sha256 over all that decides about a silhouette."""
        digest = hashlib.sha256(repr(self.min_score).encode())
        if self.weights is not None:
            with open_regular(self.weights, WEIGHTS) as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()


Builder: TypeAlias = Callable[[Options], Method]

# Defined here, where no method is imported: the registry imports them on the first look-up.
SILHOUETTES: Registry[Builder] = Registry("silhouette method", "augkit.sources.silhouettes")
