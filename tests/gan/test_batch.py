"""Batches: cutting them, and noise that no cut changes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augkit.gan.batch import Batch


def _batch(rows: int, seed: int = 5, start: int = 0, total: int | None = None) -> Batch:
    numbers = torch.arange(start, start + rows)
    masks = numbers[:, None, None].expand(-1, 2, 2)
    return Batch(masks[:, None].expand(-1, 3, -1, -1).float(), masks, numbers, seed, start, total or rows)


@given(size=st.integers(1, 4), parts=st.integers(1, 6), seed=st.integers(0, 2**62))
def test_the_noise_of_a_split_is_that_of_the_whole(size: int, parts: int, seed: int) -> None:
    batch = _batch(size * parts, seed)
    cut = list(batch.split(parts))
    assert [len(part) for part in cut] == [size] * parts
    assert torch.equal(torch.cat([part.noise("z", 3) for part in cut]), batch.noise("z", 3))
    assert torch.equal(torch.cat([part.classes for part in cut]), batch.classes)
    assert torch.equal(torch.cat([part.masks for part in cut]), batch.masks)
    assert torch.equal(torch.cat([part.photos for part in cut]), batch.photos)


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_together_draw_the_noise_of_one_process(world: int) -> None:
    whole, size = _batch(8), 8 // world
    shares = [_batch(size, start=rank * size, total=8) for rank in range(world)]
    assert torch.equal(torch.cat([share.noise("z", 2, 3) for share in shares]), whole.noise("z", 2, 3))
    parts = [part for share in shares for part in share.split(2)]
    assert torch.equal(torch.cat([part.noise("z", 2, 3) for part in parts]), whole.noise("z", 2, 3))


def test_noise_is_of_its_name_and_step() -> None:
    batch = _batch(4)
    assert torch.equal(batch.noise("a", 3), batch.noise("a", 3))
    assert not torch.equal(batch.noise("a", 3), batch.noise("b", 3))
    assert not torch.equal(batch.noise("a", 3), _batch(4, seed=6).noise("a", 3))
    assert batch.noise("a", 3).unique().numel() == 12


def test_noise_leaves_the_global_state_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    _batch(4).noise("a", 3)
    assert torch.equal(torch.rand(1), expected)


def test_an_uneven_cut_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="5 rows cannot be cut into 2"):
        list(_batch(5).split(2))


def test_a_batch_moves_as_a_whole() -> None:
    moved = _batch(2).to(torch.device("meta"))
    assert {t.device.type for t in (moved.photos, moved.masks, moved.classes)} == {"meta"}
    assert (moved.seed, moved.start, moved.total) == (5, 0, 2)
