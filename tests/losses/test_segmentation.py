"""The segmenter's loss and its gradient, both written out by hand, against plain sums and autograd."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from augkit.core.parts import IGNORE
from augkit.losses.likelihood import cross_entropy
from augkit.losses.segmentation import segmentation_loss

HARD = 40.0  # a logit whose softmax is 1 to the last bit


def _masks(*rows: list[int]) -> Tensor:
    return torch.tensor([list(rows)])


def _logits(masks: Tensor, channels: int) -> Tensor:
    """Logits of a network that is sure of these ids."""
    return torch.nn.functional.one_hot(masks, channels).permute(0, 3, 1, 2).float() * HARD


def _dice(logits: Tensor, masks: Tensor) -> Tensor:
    return segmentation_loss(logits, masks, torch.zeros(logits.shape[1]), 1.0)


def _plain_dice(logits: Tensor, masks: Tensor) -> Tensor:
    """1 - mean soft Dice over the parts that the batch shows (Milletari et al. 2016, eq. 3)."""
    seen, chances = masks != IGNORE, logits.softmax(1)
    scores = []
    for part in range(logits.shape[1]):
        truth, read = (masks == part).float(), chances[:, part] * seen
        if truth.any():
            scores.append(2 * (truth * read).sum() / (truth.sum() + read.sum()))
    return 1 - torch.stack(scores).mean()


@given(seed=st.integers(0, 10_000), ignored=st.booleans())
def test_value_and_gradient_are_those_of_the_two_losses(seed: int, ignored: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 5, 4, 3, generator=generator).requires_grad_()
    masks = torch.randint(0, 4, (2, 4, 3), generator=generator)
    if ignored:
        masks[0, :2] = IGNORE
    weights = torch.rand(5, generator=generator) + 0.1
    plain = cross_entropy(logits, masks, weights) + 0.5 * _plain_dice(logits, masks)
    own = segmentation_loss(logits, masks, weights, 0.5)
    torch.testing.assert_close(own, plain)
    for found, expected in zip(*(torch.autograd.grad(3 * loss, logits) for loss in (own, plain)), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


def test_logits_of_bf16_in_any_layout_get_a_gradient_of_theirs() -> None:
    torch.manual_seed(0)
    logits, masks = torch.randn(2, 5, 4, 3), torch.randint(0, 5, (2, 4, 3))
    found = []
    for layout in (torch.contiguous_format, torch.channels_last):
        own = logits.bfloat16().to(memory_format=layout).requires_grad_()
        segmentation_loss(own, masks, torch.ones(5), 0.5).backward()
        assert own.grad is not None and own.grad.dtype == torch.bfloat16
        found.append(own.grad)
    assert torch.equal(*found)


def test_a_batch_of_ignore_only_costs_nothing_and_is_finite_backwards() -> None:
    logits = torch.randn(2, 3, 2, 2, requires_grad=True)
    value = segmentation_loss(logits, torch.full((2, 2, 2), IGNORE), torch.ones(3), 0.5)
    value.backward()
    assert value == 0 and logits.grad is not None and (logits.grad == 0).all()


def test_dice_by_hand() -> None:
    truth, read = _masks([1, 1], [2, 2]), _masks([1, 2], [2, 2])
    # Part 1: 2 * 1 / (1 + 2); part 2: 2 * 2 / (3 + 2); background (0) is not shown and does not count.
    assert _dice(_logits(read, 3), truth).item() == pytest.approx(1 - (2 / 3 + 4 / 5) / 2, rel=1e-5)


def test_dice_leaves_ignore_out() -> None:
    truth = _masks([1, IGNORE], [2, IGNORE])
    for wrong in (0, 1, 2):
        assert _dice(_logits(_masks([1, wrong], [2, wrong]), 3), truth).item() == pytest.approx(0.0, abs=1e-6)
