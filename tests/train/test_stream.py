"""Which rows a step sees, learning rates, and what the machine is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError
from augkit.data.draws import Draw, ExemplarPair
from augkit.data.pair import Pair
from augkit.data.warp.part_warp import WarpedPhoto
from augkit.train import machine
from augkit.train.optim import adam, adam_at_two_rates, constant, linear_decay, poly_decay
from augkit.train.run import _check_share
from augkit.train.run_options import AdamOptions
from augkit.train.sampling import evenly
from augkit.train.stream import ProcessShare, StreamPlan, collate, draws, stream

plans = st.builds(StreamPlan, st.just(9), st.integers(1, 7), st.integers(0, 2**62))


@given(rows=st.integers(1, 11), plan=plans)
def test_every_epoch_covers_each_row_once(rows: int, plan: StreamPlan) -> None:
    drawn = [draw for step in range(1, 3 * rows + 1) for draw in draws(evenly(rows), plan, step)]
    for epoch in range(len(drawn) // rows):
        assert sorted(d.index for d in drawn[epoch * rows : (epoch + 1) * rows]) == list(range(rows))
    assert len({d.seed for d in drawn}) == len(drawn)


@given(rows=st.integers(1, 50), plan=plans, step=st.integers(1, 1000))
def test_a_step_is_a_function_of_seed_and_step(rows: int, plan: StreamPlan, step: int) -> None:
    assert draws(evenly(rows), plan, step) == draws(evenly(rows), plan, step)
    assert len(draws(evenly(rows), plan, step)) == plan.batch


def test_epochs_and_seeds_shuffle_differently() -> None:
    def order(seed: int, step: int) -> list[int]:
        return [draw.index for draw in draws(evenly(40), StreamPlan(9, 40, seed), step)]

    assert len({tuple(order(seed, step)) for seed in (0, 1) for step in (1, 2)}) == 4


class Numbers:
    """Pairs whose every pixel is the row's number, and whose class tells the draw's seed."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    def plain(self, index: int) -> Pair:
        return Pair(np.full((2, 2, 3), index, np.uint8), np.full((2, 2), index, np.uint8), CarClass("A", "5"))

    def __getitem__(self, draw: Draw) -> Pair:
        item = self.plain(draw.index)
        return item if draw.seed & 1 else Pair(item.photo, item.mask, item.car_class.mirror)


@pytest.mark.parametrize("world", [1, 2, 4])
def test_ranks_together_see_the_batches_of_one_process(world: int) -> None:
    plan = StreamPlan(5, 8, 3)
    device = torch.device("cpu")
    whole = list(stream(Numbers(11), plan, ProcessShare(), 1, 0, device))
    shares = [list(stream(Numbers(11), plan, ProcessShare(rank, world), 1, 0, device)) for rank in range(world)]
    for number, (step, batch) in enumerate(whole):
        parts = [share[number][1] for share in shares]
        assert step == number + 1 and all(share[number][0] == step for share in shares)
        assert torch.equal(torch.cat([part.masks for part in parts]), batch.masks)
        assert torch.equal(torch.cat([part.classes for part in parts]), batch.classes)
        assert torch.equal(torch.cat([part.noise("z", 3) for part in parts]), batch.noise("z", 3))


def test_a_resumed_stream_goes_on_where_it_was() -> None:
    plan, device = StreamPlan(5, 4, 3), torch.device("cpu")
    whole, rest = (list(stream(Numbers(6), plan, ProcessShare(), first, 0, device)) for first in (1, 4))
    assert [step for step, _ in rest] == [4, 5]
    for (_, ours), (_, theirs) in zip(rest, whole[3:], strict=True):
        assert torch.equal(ours.masks, theirs.masks) and ours.seed == theirs.seed


def test_batches_are_scaled_and_counted() -> None:
    ((_, batch),) = stream(Numbers(1), StreamPlan(1, 2, 0), ProcessShare(), 1, 0, torch.device("cpu"))
    assert batch.photos.shape == (2, 3, 2, 2) and (batch.photos == -1).all() and batch.masks.dtype == torch.int64
    assert (batch.start, batch.total) == (0, 2)


def test_processes_have_to_share_a_batch_evenly() -> None:
    _check_share(StreamPlan(1, 8, 0), ProcessShare(0, 2), 4)
    for world, microbatches in ((3, 1), (2, 8)):
        with pytest.raises(ConfigError, match=f"batch 8 over {world} processes and {microbatches} microbatches"):
            _check_share(StreamPlan(1, 8, 0), ProcessShare(0, world), microbatches)


@given(steps=st.integers(1, 1000), share=st.floats(0, 1), step=st.integers(0, 1000))
def test_linear_decay_equals_its_formula(steps: int, share: float, step: int) -> None:
    start = share * steps
    expected = 1.0 if step <= start or start == steps else max(0.0, 1 - (step - start) / (steps - start))
    assert linear_decay(steps, share)(step) == pytest.approx(expected, abs=1e-9)


def test_linear_decay_by_hand() -> None:
    rate = linear_decay(10, 0.5)
    assert [rate(step) for step in (0, 5, 6, 9, 10, 12)] == pytest.approx([1, 1, 0.8, 0.2, 0, 0])
    assert linear_decay(10, 1.0)(10) == 1.0 and constant(10**6) == 1.0
    assert linear_decay(1, 1.0)(2) == 1.0  # 1 keeps the rate constant, past the last step too


def test_poly_decay_by_hand() -> None:
    rate = poly_decay(100, warm_up=10)
    assert rate(0) == pytest.approx(0.1) and rate(4) == pytest.approx(0.5 * 0.96**0.9)
    assert rate(50) == pytest.approx(0.5**0.9) and rate(100) == 0 and rate(101) == 0


def test_an_encoder_has_a_rate_of_its_own() -> None:
    encoder, decoder = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    encoder.bias.requires_grad_(False)
    optimiser = adam_at_two_rates(encoder.parameters(), 1e-4, decoder.parameters(), AdamOptions(lr=1e-3))
    rates = {id(p): group["lr"] for group in optimiser.param_groups for p in group["params"]}
    assert rates == {id(encoder.weight): 1e-4, **{id(p): 1e-3 for p in decoder.parameters()}}


def test_adam_owns_what_is_to_be_trained() -> None:
    layers = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Linear(1, 1))
    layers[0].requires_grad_(False)
    optimiser = adam(layers.parameters(), AdamOptions(lr=0.25, betas=(0.1, 0.2), weight_decay=0.5))
    (group,) = optimiser.param_groups
    assert [id(p) for p in group["params"]] == [id(p) for p in layers[1].parameters()]
    assert (group["lr"], tuple(group["betas"]), group["weight_decay"]) == (0.25, (0.1, 0.2), 0.5)


@pytest.mark.parametrize(
    ("asked", "fast", "expected"),
    [
        ("fp32", True, "no"),
        ("auto", True, "bf16"),
        ("auto", False, "no"),
        ("bf16", False, "bf16"),
        ("bf16", True, "bf16"),
    ],
)
def test_precision_is_what_was_asked_for_or_what_is_fast(
    asked: machine.Precision, fast: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "bf16_is_fast", lambda: fast)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert machine.resolve_precision(asked) == expected


def test_bf16_on_a_gpu_without_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert machine.resolve_precision("auto") == "no"
    with pytest.raises(ConfigError, match=r"bf16(.|\n)*auto or fp32"):
        machine.resolve_precision("bf16")


def test_a_torch_without_the_private_functions_means_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert machine.bf16_is_fast() is machine.processor_bf16_is_fast() is False


def test_a_gpu_says_nothing_about_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert machine.bf16_is_fast() is True and machine.processor_bf16_is_fast() is False


@pytest.mark.parametrize("world", [1, 2])
def test_every_turn_of_a_step_is_shared_by_all_processes(world: int) -> None:
    """Where D moves twice, its second turn has the same rows and noise however many processes there are."""
    plan, device = StreamPlan(2, 8, 3, turns=2), torch.device("cpu")
    (_, whole), _ = stream(Numbers(11), StreamPlan(2, 8, 3), ProcessShare(), 1, 0, device)
    shares = [
        next(iter(stream(Numbers(11), plan, ProcessShare(rank, world), 1, 0, device)))[1] for rank in range(world)
    ]
    turns = zip(*(share.split(2) for share in shares), strict=True)
    for expected, parts in zip(whole.split(2), turns, strict=True):
        assert torch.equal(torch.cat([part.masks for part in parts]), expected.masks)
        assert torch.equal(torch.cat([part.noise("z", 3) for part in parts]), expected.noise("z", 3))
    assert all(len(share.noise("z", 3)) == len(share) for share in shares)


def test_the_processes_share_every_turn_evenly() -> None:
    _check_share(StreamPlan(1, 8, 0, turns=2), ProcessShare(0, 2), 2)
    with pytest.raises(ConfigError, match="batch 3 over 2 processes and 1 microbatches"):
        _check_share(StreamPlan(1, 6, 0, turns=2), ProcessShare(0, 2), 1)


def test_a_batch_of_pairs_with_exemplars_holds_these() -> None:
    pairs = [Numbers(2).plain(index) for index in range(2)]
    valid, trust = np.array([[True, False], [True, True]]), np.array([[0.5, 0], [1, 1]], np.float32)
    batch = collate([ExemplarPair(pair, WarpedPhoto(pair.photo + 254, valid, trust)) for pair in pairs], 0, 0, 2)
    assert batch.masks.tolist() == [pair.mask.tolist() for pair in pairs]
    torch.testing.assert_close(batch.exemplars.photos[:, 0, 0, 0], torch.tensor([254 / 127.5 - 1, 1.0]))
    assert batch.exemplars.valid.tolist() == [[[[1, 0], [1, 1]]]] * 2
    assert batch.exemplars.trust.tolist() == [[[[0.5, 0], [1, 1]]]] * 2
    plain = collate(pairs, 0, 0, 2)
    assert torch.equal(plain.exemplars.photos, plain.photos) and bool((plain.exemplars.valid == 1).all())
