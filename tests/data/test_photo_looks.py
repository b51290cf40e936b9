"""Looks that are near one another are found by each search, and in what it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from augkit.data import look_buckets, look_distances, look_search, look_strips
from augkit.data.look_search import earlier_alike
from augkit.data.near_duplicates import MIN_CORRELATION, thumb
from augkit.data.photo_looks import NO_LOOK, look_of, looks_of
from tests.data.look_searches import by_buckets, by_strips, each_with_each


def one_by_one(looks: NDArray[np.int8], first: int) -> list[tuple[int, list[int]]]:
    """Those alike, by the distance of each two."""
    limit = (127 * np.sqrt(2 - 2 * MIN_CORRELATION) + 8) ** 2
    whole = looks.astype(np.int64)
    near = [np.flatnonzero(((whole[:at] - whole[at]) ** 2).sum(1) <= limit).tolist() for at in range(len(looks))]
    return [(at, earlier) for at, earlier in enumerate(near) if earlier and at >= first]


looks_near_one_another = st.builds(
    lambda seed, count, spread: np.random.default_rng(seed).normal(size=(count, 64)) * np.geomspace(3, 1, 64) * spread,
    st.integers(0, 2**32), st.integers(0, 300), st.floats(0.5, 6),
).map(lambda rows: np.clip(np.rint(rows), -127, 127).astype(np.int8))  # fmt: skip


@pytest.mark.parametrize("search", [each_with_each, by_strips])
@settings(max_examples=40, deadline=None, derandomize=True)
@given(looks_near_one_another, st.integers(0, 300))
def test_all_that_is_near_is_found(
    search: Callable[[pytest.MonkeyPatch], None], looks: NDArray[np.int8], first: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        search(patch)
        found = [(place, earlier.tolist()) for place, earlier in earlier_alike(looks, first)]
    assert found == one_by_one(looks, first)


def photo_looks_of(count: int) -> NDArray[np.int8]:
    """Looks whose frequencies fall off as those of photos do, with near ones among them."""
    random, order = np.random.default_rng(0), np.arange(32)
    fall = 1 / (1 + np.sort((order[:, None] + order).reshape(-1))[1:65])
    spectra = random.normal(size=(count, 64)) * fall
    spectra[::9] = spectra[1::9][: len(spectra[::9])] + random.normal(size=(len(spectra[::9]), 64)) * fall * 0.1
    return np.rint(spectra / np.linalg.norm(spectra, axis=1, keepdims=True) * 120).astype(np.int8)


@pytest.mark.parametrize("first", [0, 2000, 2699, 2700])
def test_strips_find_all_at_a_part_of_the_comparisons(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    by_strips(monkeypatch)
    looks, limit = photo_looks_of(2700), 39**2
    compared = 0

    def counting(strips: Any, *bounds: int) -> NDArray[np.intp]:
        nonlocal compared
        places = reached(strips, *bounds)
        compared += len(places) * look_strips._ROWS
        return places

    reached = look_strips._Strips.reached
    monkeypatch.setattr(look_strips._Strips, "reached", counting)
    found = look_strips.by_strips(looks, first, limit)
    whole = looks.astype(np.int64)
    squares = ((whole[first:, None] - whole[None]) ** 2).sum(2)
    later, earlier = np.nonzero(np.tri(len(looks), k=-1)[first:] * (squares <= limit))
    assert found is not None and (found == (later + first) * len(looks) + earlier).all()
    assert first > 2000 or len(found) > 50
    assert first > 2000 or compared < 0.6 * (len(looks) - first) * len(looks)


def test_so_many_pairs_are_not_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-alikes, each of all others: they are given one look after the other."""
    by_strips(monkeypatch)
    monkeypatch.setattr(look_distances, "_LEAST", 0)
    monkeypatch.setattr(look_distances, "_EACH", 3)
    looks = np.repeat(photo_looks_of(9)[:1], 300, 0)
    assert look_strips.by_strips(looks, 0, 100) is None
    by_buckets(monkeypatch, 400)
    assert look_buckets.by_buckets(looks, 0, 100) is None
    assert [len(earlier) for _, earlier in earlier_alike(looks)] == list(range(1, 300))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=60).map(sorted), st.integers(1, 7))
def test_windows_hold_all_pairs_of_a_bucket(keys: list[int], window: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        by_buckets(patch, window)
        compared = [
            (at, at + apart) for apart, some in enumerate(look_buckets._windows(np.array(keys))) for at in some.tolist()
        ]
    together = {(a, b) for b, key in enumerate(keys) for a in range(b) if keys[a] == key}
    assert {(a // window, b // window) for a, b in together} <= set(compared)
    assert all(one == other or keys[one * window + window - 1] == keys[other * window] for one, other in compared)


def test_buckets_lose_none_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs whose pictures correlate barely enough, among thousands of others."""
    random = np.random.default_rng(0)
    spectra = random.normal(size=(6000, 64)) / np.arange(1, 65) ** 0.5
    spectra *= 0.85 / np.linalg.norm(spectra, axis=1, keepdims=True)
    moves = random.normal(size=(300, 64)) * (spectra[:300] != 0)
    moves -= (moves * spectra[:300]).sum(1, keepdims=True) * spectra[:300] / 0.85**2  # along the sphere
    moves *= np.sqrt(2 - 2 * MIN_CORRELATION) / np.linalg.norm(moves, axis=1, keepdims=True)
    near = spectra[:300] + moves
    near *= 0.85 / np.linalg.norm(near, axis=1, keepdims=True)
    looks = np.rint(np.concatenate([spectra, near]) * 127).astype(np.int8)
    each_with_each = [(place, earlier.tolist()) for place, earlier in earlier_alike(looks)]
    by_buckets(monkeypatch, 16)
    monkeypatch.setattr(look_search, "by_strips", None)  # would not be needed
    monkeypatch.setattr(look_search, "_by_blocks", None)
    found = {place: earlier.tolist() for place, earlier in earlier_alike(looks)}
    assert list(found.items()) == each_with_each
    assert all(place in found[6000 + place] for place in range(300))
    assert sum(map(len, found.values())) < 400
    assert dict(earlier_alike(looks, 6200)).keys() == {place for place in found if place >= 6200}


def test_full_buckets_are_compared_each_with_each(monkeypatch: pytest.MonkeyPatch) -> None:
    by_buckets(monkeypatch)
    monkeypatch.setattr(look_search, "FEW", 0)
    look = np.random.default_rng(0).integers(-20, 20, 64).astype(np.int8)
    found = dict(earlier_alike(np.repeat(look[None], 50, 0)))
    assert [found[place].tolist() for place in range(1, 50)] == [list(range(place)) for place in range(1, 50)]


def test_a_photo_without_contrast_has_no_look() -> None:
    flat = thumb(np.full((40, 40, 3), 90, np.uint8))
    assert look_of(flat) == NO_LOOK and len(looks_of([NO_LOOK, look_of(np.eye(32, dtype=np.uint8))])[0]) == 1


@pytest.mark.parametrize("count", [100, 1 << 15, 10**6])
def test_tables_are_as_many_as_their_chance_takes(count: int) -> None:
    bits, tables = look_buckets._tables(count)
    missed = 1 - 0.91**bits  # in one table
    assert missed**tables < 1e-6 <= missed ** (tables - 1)
