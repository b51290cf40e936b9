"""Differentiable augmentation, and views one after the other."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from augkit.gan.batch import Batch
from augkit.gan.slots import Views
from augkit.gan.techniques.diffaugment import AugmentedView, colour, cutout, translation


def _batch(rows: int, seed: int = 3) -> Batch:
    return Batch(torch.zeros(rows, 3, 2, 2), torch.zeros(rows, 2, 2).long(), torch.zeros(rows).long(), seed, 0, rows)


def test_the_middle_of_every_colour_range_changes_nothing() -> None:
    pictures = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(colour(pictures, torch.full((2, 3), 0.5), torch.zeros(3)), pictures)


def test_brightness_is_added() -> None:
    pictures = torch.randn(1, 3, 4, 4)
    torch.testing.assert_close(colour(pictures, torch.tensor([[1.0, 0.5, 0.5]]), torch.zeros(3)), pictures + 0.5)


def test_no_saturation_is_grey() -> None:
    grey = colour(torch.randn(1, 3, 4, 4), torch.tensor([[0.5, 0.0, 0.5]]), torch.zeros(3))
    torch.testing.assert_close(grey[:, 0], grey[:, 2])


def test_contrast_is_about_the_mean() -> None:
    pictures = torch.randn(1, 3, 4, 4)
    less = colour(pictures, torch.tensor([[0.5, 0.5, 0.0]]), torch.zeros(3))
    torch.testing.assert_close(less.mean(), pictures.mean())
    torch.testing.assert_close(less.std(), pictures.std() / 2)


def test_translation_moves_by_whole_pixels_and_fills() -> None:
    pictures = torch.arange(64.0).view(1, 1, 8, 8)
    moved = translation(pictures, torch.tensor([[0.99, 0.0, 0.0]]), torch.tensor([-7.0]))  # one down, one to the left
    torch.testing.assert_close(moved[0, 0, 1:, :-1], pictures[0, 0, :-1, 1:])
    assert (moved[0, 0, 0] == -7).all() and (moved[0, 0, :, -1] == -7).all()


def test_cutout_hides_half_the_sides_inside_the_picture() -> None:
    hidden = cutout(torch.ones(1, 1, 8, 8), torch.tensor([[0.5, 0.5, 0.0]]), torch.zeros(1))
    assert int((hidden == 0).sum()) == 16 and (hidden[0, 0, 2:6, 2:6] == 0).all()
    at_the_corner = cutout(torch.ones(1, 1, 8, 8), torch.zeros(1, 3), torch.zeros(1))
    assert int((at_the_corner == 0).sum()) == 4


@given(st.integers(0, 10_000))
def test_a_mask_stays_a_mask(seed: int) -> None:
    ids = torch.randint(0, 4, (3, 16, 16), generator=torch.Generator().manual_seed(seed))
    masks = functional.one_hot(ids, 4).permute(0, 3, 1, 2).float()
    seen = AugmentedView(("translation", "cutout"), torch.tensor([1.0, 0, 0, 0]))(masks, _batch(3, seed), "d")
    assert ((seen == 0) | (seen == 1)).all() and (seen.sum(1) == 1).all()


def test_draws_are_the_samples_own_and_repeat() -> None:
    pictures = torch.randn(1, 3, 16, 16).expand(4, -1, -1, -1)
    view = AugmentedView(("colour", "translation", "cutout"), torch.zeros(3))
    once, again, other = view(pictures, _batch(4), "a"), view(pictures, _batch(4), "a"), view(pictures, _batch(4), "b")
    assert torch.equal(once, again) and not torch.equal(once, other)
    assert len({tuple(picture.flatten().tolist()) for picture in once}) == 4


@pytest.mark.parametrize("policy", ["colour", "translation", "cutout"])
def test_gradients_pass(policy: str) -> None:
    pictures = torch.randn(2, 3, 8, 8, requires_grad=True)
    AugmentedView((policy,), torch.zeros(3))(pictures, _batch(2), "d").square().sum().backward()
    assert pictures.grad is not None and pictures.grad.abs().sum() > 0


def test_no_view_changes_nothing() -> None:
    pictures = torch.randn(1, 3, 4, 4)
    assert Views()(pictures, _batch(1), "d") is pictures


def test_views_follow_each_other() -> None:
    pictures = torch.ones(1, 3, 4, 4)
    twice = Views((lambda x, batch, name: x + 1, lambda x, batch, name: x * 3))
    assert torch.equal(twice(pictures, _batch(1), "d"), torch.full_like(pictures, 6))
