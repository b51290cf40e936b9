"""The figures that compare two sets of pictures, and what each reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from numpy.typing import NDArray

from augkit.core.registry import Registry

Reads = Literal["features", "shares", "adjacency", "components"]
"""What a figure is a function of: a network's features, or one of the descriptions of part masks (``masks``)."""

Compare = Callable[[NDArray[Any], NDArray[Any]], float]
F = TypeVar("F", bound=Callable[..., float])


@dataclass(frozen=True)
class Metric:
    """A figure of (real, made), both with one row a picture.

    ``label`` is what tables print; a figure of features gets the extractor's name added. ``lower_is_better`` says
    which way is good. Below ``fewest`` rows a set it is undefined. ``centred``: between two sets of one distribution
    its mean is 0, so that no ratio to it says anything.
    """

    label: str
    compare: Compare
    reads: Reads
    lower_is_better: bool
    fewest: int = 1
    centred: bool = False


METRICS: Registry[Metric] = Registry("metric", "augkit.metrics")


def metric(
    name: str,
    label: str,
    *,
    reads: Reads = "features",
    lower_is_better: bool = True,
    fewest: int = 1,
    centred: bool = False,
) -> Callable[[F], F]:
    """Decorator that registers a function ``(real, made) -> float``."""

    def add(compare: F) -> F:
        METRICS.register(name)(Metric(label, compare, reads, lower_is_better, fewest, centred))
        return compare

    return add
