"""The pool of earlier fakes: what D is shown, what is kept, for one process and for two."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from augkit.gan.batch import Batch
from augkit.gan.fake_pool import FakePool, NoPool

from .test_players import OneProcess

SIZE, ROWS = 4, 3


def _batch(step: int, rows: int = ROWS) -> Batch:
    return Batch(
        torch.zeros(rows, 3, SIZE, SIZE), torch.zeros(rows, SIZE, SIZE).long(), torch.zeros(rows), step, 0, rows
    )


def _fakes(step: int, rows: int = ROWS) -> tuple[Tensor, Tensor]:
    """Each filled with a number of its own, its mask with the part of it that a byte holds."""
    numbers = torch.arange(step * rows, (step + 1) * rows)
    photos = numbers.float()[:, None, None, None].expand(rows, 3, SIZE, SIZE)
    return photos, (numbers % 256)[:, None, None].expand(-1, SIZE, SIZE)


def _step(pool: FakePool, step: int, rows: int = ROWS) -> list[int]:
    """The numbers that D is shown."""
    fake, masks = pool.swap(*_fakes(step, rows), _batch(step, rows))
    pool.settle(OneProcess())
    assert torch.equal(fake[:, 0, 0, 0].long() % 256, masks[:, 0, 0]), "each with its own mask"
    return fake[:, 0, 0, 0].long().tolist()


def _kept(pool: FakePool) -> list[int]:
    assert torch.equal(pool.photos[:, 0, 0, 0].long() % 256, pool.masks[:, 0, 0].long())
    return pool.photos[: int(pool.kept), 0, 0, 0].long().tolist()


def test_a_pool_that_is_off_shows_this_steps_fakes() -> None:
    fake, masks = _fakes(0)
    shown = NoPool().swap(fake, masks, _batch(0))
    assert shown[0] is fake and shown[1] is masks


def test_while_there_is_room_all_are_shown_and_kept() -> None:
    pool = FakePool(2 * ROWS, SIZE)
    assert _step(pool, 0) == [0, 1, 2] and _kept(pool) == [0, 1, 2]
    assert _step(pool, 1) == [3, 4, 5] and _kept(pool) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("places", [1, 4, 5])
def test_a_full_pool_exchanges_half_of_them(places: int) -> None:
    pool, old = FakePool(places, SIZE), 0
    steps = 200
    for step in range(steps):
        before, own = _kept(pool), list(range(step * ROWS, (step + 1) * ROWS))
        shown = _step(pool, step)
        assert len(_kept(pool)) == min(places, (step + 1) * ROWS)
        for number, seen in zip(own, shown, strict=True):
            assert seen == number or seen in before
            old += seen != number
        new = set(_kept(pool)) - set(before)
        assert new <= set(own)
        if len(before) == places:
            assert all(number in own and shown[own.index(number)] != number for number in new)
    assert old / (steps * ROWS) == pytest.approx(0.5, abs=0.06)


def test_every_place_is_exchanged_sooner_or_later() -> None:
    pool = FakePool(6, SIZE)
    for step in range(60):
        _step(pool, step)
    assert min(_kept(pool)) >= 6


def test_what_is_shown_carries_no_gradient_of_what_was_kept() -> None:
    pool = FakePool(1, SIZE)
    fake = torch.randn(1, 3, SIZE, SIZE, requires_grad=True)
    pool.swap(fake * 1, _fakes(0, 1)[1], _batch(0, 1))
    pool.settle(OneProcess())
    assert not pool.photos.requires_grad and torch.equal(pool.photos, fake.detach())


def test_a_pool_goes_on_from_its_state() -> None:
    one, other = FakePool(4, SIZE), FakePool(4, SIZE)
    for step in range(5):
        _step(one, step)
    other.load_state_dict(one.state_dict())
    assert [_step(one, step) for step in range(5, 30)] == [_step(other, step) for step in range(5, 30)]


class _Pair(OneProcess):
    """One of two processes: sums are those of both pools' rows."""

    num_processes, device = 2, torch.device("cpu")

    def __init__(self, sums: list[Tensor]) -> None:
        self.sums = sums

    def reduce(self, tensor: Tensor, reduction: str) -> Tensor:
        assert reduction == "sum"
        self.sums.append(tensor)
        return tensor


def test_two_processes_hold_the_pool_that_one_would() -> None:
    alone, pools = FakePool(5, SIZE), [FakePool(5, SIZE), FakePool(5, SIZE)]
    for step in range(30):
        expected = _step(alone, step, rows=4)
        fake, masks = _fakes(step, 4)
        shown, parts = [], []
        for rank, pool in enumerate(pools):
            rows = slice(2 * rank, 2 * rank + 2)
            batch = replace(_batch(step, 4), photos=fake[rows], masks=masks[rows], start=2 * rank)
            seen, _ = pool.swap(fake[rows], masks[rows], batch)
            shown += seen[:, 0, 0, 0].long().tolist()
            parts.append(dict(pool._taken))
        assert shown == expected
        for pool in pools:  # what the sum over the processes gives: each row is one process's
            pool._taken = parts[0] | parts[1]
            pool.settle(_Pair([]))
            assert _kept(pool) == _kept(alone)
