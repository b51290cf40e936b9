"""The ways of searching for looks that are near, however few there are."""

from __future__ import annotations

import pytest

from augkit.data import look_buckets, look_search, look_strips


def by_buckets(patch: pytest.MonkeyPatch, window: int = 4) -> None:
    """However few looks there are; buckets of so many."""
    patch.setattr(look_search, "MANY", 0)
    patch.setattr(look_buckets, "_WINDOW", window)


def by_strips(patch: pytest.MonkeyPatch) -> None:
    """However few looks there are; strips of at least twenty, compared five at a time."""
    patch.setattr(look_search, "FEW", 0)
    patch.setattr(look_strips, "_IN_A_STRIP", 20)
    patch.setattr(look_strips, "_ROWS", 5)
    patch.setattr(look_strips, "_COLUMNS", 50)


def each_with_each(patch: pytest.MonkeyPatch) -> None:
    """So few looks are."""


SEARCHES = [each_with_each, by_strips, by_buckets]
