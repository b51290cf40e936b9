"""Masks and photos in the form that networks make and see."""

from __future__ import annotations

import torch

from augkit.core.parts import PartSchema
from augkit.gan import image_tensors
from augkit.gan.batch import Batch

SCHEMA = PartSchema.from_names(["hood", "door"], [(255, 0, 0), (0, 0, 255)])


def _batch(rows: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(0, 3, (rows, 16, 16), generator=generator)
    return Batch(torch.rand(rows, 3, 16, 16, generator=generator) * 2 - 1, masks, torch.zeros(rows).long(), 4, 0, rows)


def test_a_palette_shows_the_mask_in_colours() -> None:
    batch = _batch()
    shown = image_tensors.palette_of(SCHEMA)(batch)
    expected = torch.from_numpy(SCHEMA.colourise(batch.masks.numpy().astype("uint8"))).permute(0, 3, 1, 2)
    torch.testing.assert_close((shown + 1) * 127.5, expected.float())


def test_channels_are_one_hot_and_photos_are_photos() -> None:
    batch = _batch()
    assert torch.equal(image_tensors.channels_of(3)(batch).argmax(1), batch.masks)
    assert image_tensors.photos(batch) is batch.photos


def test_colours_are_bounded() -> None:
    assert torch.equal(
        image_tensors.colours(torch.tensor([0.0, 50.0, -50.0]), _batch(), "g"), torch.tensor([0.0, 1, -1])
    )


def test_a_categorical_picture_is_one_hot_with_the_softmaxs_gradient() -> None:
    raw = torch.randn(2, 3, 16, 16, requires_grad=True)
    made = image_tensors.categorical(raw, _batch(), "g")
    assert ((made == 0) | (made == 1)).all() and torch.equal(made.sum(1), torch.ones(2, 16, 16))
    weights = torch.randn(3)[:, None, None]
    (made * weights).sum().backward()
    assert raw.grad is not None and (raw.grad.abs().sum((1, 2, 3)) > 0).all()


def test_a_draw_by_its_name_is_the_same_again() -> None:
    raw, batch = torch.randn(2, 3, 16, 16), _batch()
    first = image_tensors.categorical(raw, batch, "g")
    assert torch.equal(image_tensors.categorical(raw, batch, "g"), first)
    noise = -(-batch.uniform("g-gumbel", 3, 16, 16).clamp(1e-6, 1 - 1e-6).log()).log()
    assert torch.equal(first.argmax(1), (raw + noise).softmax(1).argmax(1))


def test_parts_are_drawn_as_often_as_the_logits_say() -> None:
    shares = torch.tensor([0.6, 0.3, 0.1])
    raw = shares.log()[None, :, None, None].expand(8, 3, 16, 16)
    drawn = image_tensors.categorical(raw, _batch(8), "g").mean((0, 2, 3))
    torch.testing.assert_close(drawn, shares, atol=0.04, rtol=0)


def test_the_background_fills_gaps() -> None:
    assert torch.equal(image_tensors.background_fill(SCHEMA, image_tensors.categorical), torch.tensor([1.0, 0, 0]))
    fill = image_tensors.background_fill(SCHEMA, image_tensors.colours)
    torch.testing.assert_close((fill + 1) * 127.5, torch.from_numpy(SCHEMA.palette[0]).float())
