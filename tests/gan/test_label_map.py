"""What stage II is told, on masks small enough to read."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from augkit.core.parts import IGNORE
from augkit.gan.label_map import boundaries, label_map, one_hot, paint_by_part, part_colours, stacked

KNOWN = torch.ones(1, 1, 1, 1)
MASK = torch.tensor([[[0, 0, 1], [0, 2, 1], [IGNORE, 2, 2]]])
masks = arrays(np.uint8, (2, 4, 5), elements=st.sampled_from([0, 1, 2, IGNORE])).map(
    lambda m: torch.from_numpy(m).long()
)


def test_one_hot_by_hand() -> None:
    channels = one_hot(MASK, 3)
    assert channels.dtype == torch.float32 and channels.shape == (1, 3, 3, 3)
    assert channels[0, 0].tolist() == [[1, 1, 0], [1, 0, 0], [1, 0, 0]]  # ignore counts as background
    assert channels[0, 1].tolist() == [[0, 0, 1], [0, 0, 1], [0, 0, 0]]
    assert channels[0, 2].tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 1]]


def test_one_hot_knows_no_ids_beyond_its_channels() -> None:
    assert one_hot(torch.tensor([[[3, 1, 254]]]), 3)[0, :, 0].T.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]


@given(masks)
def test_one_hot_is_undone_by_argmax(mask: torch.Tensor) -> None:
    channels = one_hot(mask, 3)
    assert (channels.sum(1) == 1).all()
    assert torch.equal(channels.argmax(1), mask.where(mask != IGNORE, torch.zeros_like(mask)))


def test_boundaries_by_hand() -> None:
    # The pixel (0, 0) has only equal 4-neighbours; all others touch another id.
    assert boundaries(MASK)[0, 0].tolist() == [[0, 1, 1], [1, 1, 1], [1, 1, 1]]
    flat = torch.zeros(1, 4, 4, dtype=torch.long)
    assert not boundaries(flat).any()
    flat[0, 0, 0] = 1
    assert boundaries(flat)[0, 0].nonzero().tolist() == [[0, 0], [0, 1], [1, 0]]  # no diagonal neighbour


@given(masks)
def test_boundaries_equal_the_definition(mask: torch.Tensor) -> None:
    found = boundaries(mask)[:, 0]
    for n, i, j in np.ndindex(*mask.shape):
        around = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
        inside = [(a, b) for a, b in around if 0 <= a < mask.shape[1] and 0 <= b < mask.shape[2]]
        assert found[n, i, j] == float(any(mask[n, a, b] != mask[n, i, j] for a, b in inside))


def test_a_boundary_belongs_to_one_picture() -> None:
    assert not boundaries(torch.stack([torch.zeros(3, 3), torch.ones(3, 3)]).long()).any()


def test_label_map_is_one_hot_and_boundary() -> None:
    assert torch.equal(label_map(MASK, 3), torch.cat([one_hot(MASK, 3), boundaries(MASK)], 1))


def test_stacked_maps_are_channels_last_whatever_they_were() -> None:
    first, last = torch.randn(2, 3, 4, 5), torch.randn(2, 2, 4, 5).to(memory_format=torch.channels_last)
    made = stacked([first, last, first[:, :1]])
    assert torch.equal(made, torch.cat([first, last, first[:, :1]], 1))
    for own in (made, label_map(MASK.expand(2, -1, -1), 3), one_hot(MASK.expand(2, -1, -1), 3)):
        assert own.is_contiguous(memory_format=torch.channels_last) and not own.is_contiguous()


def test_what_is_not_valid_gives_no_colour() -> None:
    mask, photo = torch.tensor([[[1, 1, 2]]]), torch.tensor([[[[0.2, 0.8, -1.0]]] * 3]).reshape(1, 3, 1, 3)
    colours = part_colours(photo, mask, 3, torch.tensor([[[[1.0, 0.0, 0.0]]]]))
    torch.testing.assert_close(colours[0, 1:, 0], torch.tensor([0.2, 0.2]))  # part 2 is unseen: the car's mean


def test_part_colours_by_hand() -> None:
    mask = torch.tensor([[[0, 1, 1], [2, 2, IGNORE]]])
    red = torch.tensor([[[0.1, 0.2, 0.4], [-1.0, 0.0, 0.7]]])
    photo = torch.stack([red, red * 0, -red], 1)
    colours = part_colours(photo, mask, 4, KNOWN)[0]
    expected = torch.tensor([0.1, 0.3, -0.5, (0.2 + 0.4 - 1.0 + 0.0) / 4])  # without ignore; part 3 unseen
    torch.testing.assert_close(colours[:, 0], expected)
    torch.testing.assert_close(colours[:, 1], torch.zeros(4))
    torch.testing.assert_close(colours[:, 2], -expected)


def test_part_colours_of_a_photo_without_a_car_are_finite() -> None:
    colours = part_colours(torch.ones(1, 3, 2, 2), torch.zeros(1, 2, 2, dtype=torch.long), 3, KNOWN)
    assert colours.isfinite().all()


def test_part_colours_are_summed_in_full_precision_under_autocast() -> None:
    torch.manual_seed(0)
    photo, mask = torch.rand(1, 3, 64, 64), torch.zeros(1, 64, 64, dtype=torch.long)
    with torch.autocast("cpu", torch.bfloat16):
        colours = part_colours(photo, mask, 2, KNOWN)
    torch.testing.assert_close(colours[0, 0], photo[0].mean((1, 2)), rtol=1e-5, atol=1e-6)


def test_paint_by_part_by_hand() -> None:
    colours = torch.tensor([[[0.0, 0.1, 0.2], [0.3, 0.4, 0.5], [0.6, 0.7, 0.8]]])
    painted = paint_by_part(MASK, colours)
    assert painted.shape == (1, 3, 3, 3)
    for i in range(3):
        for j in range(3):
            part = 0 if MASK[0, i, j] == IGNORE else int(MASK[0, i, j])
            assert torch.equal(painted[0, :, i, j], colours[0, part])


@given(masks, st.integers(0, 1000))
def test_painting_with_a_photos_own_colours_keeps_them(mask: torch.Tensor, seed: int) -> None:
    colours = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(seed))
    found = part_colours(paint_by_part(mask, colours), mask, 3, KNOWN)
    shown = (one_hot(mask, 3) * (mask != IGNORE)[:, None]).sum((2, 3)) > 0
    torch.testing.assert_close(found[shown], colours[shown])
