"""Levels of bytes and the numbers that networks see: how 0..255 becomes [-1, 1], and how it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

HALF = 127.5
"""Half of the levels of a byte: what 1 stands for."""


def normalise(levels: Tensor) -> Tensor:
    """0..255 of any type and shape -> float32 in [-1, 1]."""
    return levels.float() / HALF - 1


def levels(photos: Tensor) -> Tensor:
    """[-1, 1] -> 0..255 in the same type: nothing is rounded or cut off."""
    return (photos + 1) * HALF


def to_bytes(photos: Tensor) -> Tensor:
    """[-1, 1] -> the nearest bytes; what lies outside is cut off."""
    return levels(photos).round().clamp(0, 255).byte()
