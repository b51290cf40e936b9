"""Trained generators in use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.gan.latents import NormalPrior
from augkit.gan.samplers import LatentBank, MaskSampler, PictureSampler, _likely, enlarged
from augkit.models.conditioning import CONDITION, ConditionedGenerator
from augkit.models.registries import PICTURE_MODELS

SCHEMA = PartSchema.from_names(["hood", "door"], [(200, 0, 0), (0, 0, 100)])
A3, A5, B5, D5 = (CarClass(*name) for name in (("A", "3"), ("A", "5"), ("B", "5"), ("D", "5")))  # type: ignore[arg-type]
SEEDS = range(200)


def _numbers(*classes: CarClass) -> Tensor:
    return torch.tensor([c.number for c in classes])


def _bank(latents: Tensor, classes: Tensor, shows: Tensor | None = None, **options: Any) -> LatentBank:
    """Of masks that show no parts, unless it is said which."""
    return LatentBank(latents, classes, torch.zeros(len(latents), 1).bool() if shows is None else shows, **options)


def _place(point: Tensor, start: Tensor, end: Tensor) -> float:
    """How far along the way from start to end a point lies; the test fails where it lies beside it."""
    way = end - start
    share = float((point - start) @ way / (way @ way))
    torch.testing.assert_close(point, start + share * way, rtol=1e-4, atol=1e-4)
    return share


def test_a_draw_is_a_function_of_its_seed() -> None:
    bank = _bank(torch.randn(8, 3), _numbers(*[A5] * 8))
    assert torch.equal(bank.draw(A5, 3), bank.draw(A5, 3))
    assert len({tuple(bank.draw(A5, seed).tolist()) for seed in SEEDS}) == len(SEEDS)


def test_a_draw_lies_between_two_near_latents_of_its_class() -> None:
    # Two groups of one class far apart, and another orientation in the middle: 2 neighbours stay in the group.
    latents = torch.tensor([[0.0, 0], [1, 0], [0, 1], [100, 0], [101, 0], [100, 1], [50, 50]])
    bank = _bank(latents, _numbers(A5, A5, A5, A5, A5, A5, B5), neighbours=2, noise=0.0)
    drawn = torch.stack([bank.draw(A5, seed) for seed in SEEDS])
    inside = (drawn % 100 >= -1e-3).all(1) & ((drawn[:, 0] % 100) + drawn[:, 1] <= 1 + 1e-3)
    assert inside.all()
    assert 0.3 < (drawn[:, 0] >= 99).float().mean() < 0.7


def test_latents_of_the_orientation_fill_up_a_small_class_from_half_way() -> None:
    own, same_view, elsewhere = torch.tensor([0.0, 0.0]), torch.tensor([8.0, 4.0]), torch.tensor([-9.0, 1.0])
    bank = _bank(torch.stack([own, same_view, elsewhere]), _numbers(A3, A5, D5), noise=0.0)
    shares = [_place(bank.draw(A3, seed), own, same_view) for seed in SEEDS]
    assert min(shares) >= 0 and 0.4 < max(shares) <= 0.5


def test_latents_of_the_class_are_approached_all_the_way() -> None:
    points = torch.tensor([[0.0, 0.0], [4.0, 2.0]])
    bank = _bank(points, _numbers(A5, A5), noise=0.0)
    shares = [_place(bank.draw(A5, seed), *points) for seed in SEEDS]
    assert min(shares) < 0.1 and max(shares) > 0.9 and min(shares) >= -1e-6 and max(shares) <= 1 + 1e-6


def test_a_class_with_enough_latents_takes_none_of_others() -> None:
    own = torch.rand(7, 2)
    bank = _bank(torch.cat([own, torch.full((3, 2), 0.5) + 50]), _numbers(*[A3] * 7, *[A5] * 3), noise=0.0)
    drawn = torch.stack([bank.draw(A3, seed) for seed in SEEDS])
    assert drawn.max() <= 1.0


def test_a_class_alone_in_the_bank_is_drawn_where_it_is() -> None:
    bank = _bank(torch.tensor([[1.0, 2.0], [9.0, 9.0]]), _numbers(A3, B5), noise=0.0)
    torch.testing.assert_close(bank.draw(A3, 4), torch.tensor([1.0, 2.0]))


def test_masks_with_parts_that_exclude_each_other_are_not_mixed() -> None:
    """Along a line every second mask shows part 1 and the others part 2, but every eighth shows neither."""
    latents, number = torch.arange(120.0)[:, None], torch.arange(120)
    shows = torch.stack([torch.zeros(120).bool(), number % 2 == 0, number % 2 == 1], 1)
    shows[::8] = False
    bank = _bank(latents, _numbers(*[A5] * 119, A3), shows, neighbours=4, noise=0.0)
    near = [_near(bank, place, A5) for place in (61, 62, 64)]
    assert near == [[59, 63, 64, 65], [58, 60, 64, 66], [62, 63, 65, 66]]
    assert _near(bank, 119, A3) == [112, 113, 115, 117]  # from the orientation, too
    shows[1::2, 1] = True  # now they often meet
    mixing = _bank(latents, _numbers(*[A5] * 120), shows, neighbours=4, noise=0.0)
    assert _near(mixing, 61, A5) == [59, 60, 62, 63]


def _near(bank: LatentBank, place: int, car_class: CarClass) -> list[int]:
    own = torch.nonzero(bank.classes == car_class.number).flatten()
    return sorted(int(latent) for latent in bank._neighbours(place, own, car_class)[0])


def test_jitter_is_a_share_of_the_banks_spread() -> None:
    latents = torch.randn(400, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 10.0])
    quiet, loud = (_bank(latents, _numbers(*[A5] * 400), noise=noise) for noise in (0.0, 0.15))
    added = torch.stack([loud.draw(A5, seed) - quiet.draw(A5, seed) for seed in range(600)])
    torch.testing.assert_close(added.std(0) / latents.std(0), torch.full((2,), 0.15), rtol=0.1, atol=0.0)


def test_an_unknown_class_says_what_to_do() -> None:
    bank = _bank(torch.randn(2, 3), _numbers(A5, D5))
    with pytest.raises(DataError, match=r"class back-left-5(.|\n)*mirror(.|\n)*--only"):
        bank.draw(B5, 0)


class Fixed(nn.Module):
    """A generator that always makes the same picture."""

    def __init__(self, picture: Tensor) -> None:
        super().__init__()
        self.picture = picture

    def forward(self, z: Tensor, classes: Tensor) -> Tensor:
        return self.picture[None].repeat(len(z), 1, 1, 1)


def test_rgb_snaps_to_the_nearest_colour_and_scores_the_distance() -> None:
    colours = torch.tensor([[0, 0, 0], [30, 40, 0], [180, 0, 0], [0, 0, 110]])  # background, nearly so, hood, door
    picture = (colours.view(2, 2, 3).permute(2, 0, 1) / 127.5 - 1).clamp(-1 + 1e-6, 1 - 1e-6).atanh()
    sampler = MaskSampler(Fixed(picture), NormalPrior(2), "rgb", SCHEMA, 4)
    draw = sampler.sample(A5, [1, 2], 2)
    assert draw.masks.dtype == np.uint8 and draw.masks.tolist() == [[[0, 0], [1, 2]]] * 2
    distance = (0 + 50 + 20 + 10) / 4 / 3**0.5
    assert [score["palette_distance"] for score in draw.scores] == pytest.approx([distance] * 2, rel=1e-4)


def test_rgb_never_snaps_to_the_white_of_ignore() -> None:
    sampler = MaskSampler(Fixed(torch.ones(3, 4, 4)), NormalPrior(2), "rgb", SCHEMA, 4)
    assert sampler.sample(A5, [1], 4).masks.max() < SCHEMA.channels


def test_categorical_takes_the_likeliest_part_and_scores_certainty() -> None:
    shares = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.3, 0.5], [0.9, 0.05, 0.05]])
    logits = shares.log().T.reshape(3, 2, 2)
    draw = MaskSampler(Fixed(logits), NormalPrior(2), "categorical", SCHEMA, 2).sample(A5, [1], 2)
    assert draw.masks.tolist() == [[[0, 1], [2, 0]]]
    assert draw.scores[0]["mask_certainty"] == pytest.approx((0.7 + 0.6 + 0.5 + 0.9) / 4, rel=1e-5)
    assert MaskSampler(Fixed(logits), NormalPrior(2), "categorical", SCHEMA, 2).sample(A5, [1], 8).masks.shape == (
        1,
        8,
        8,
    )


@pytest.mark.parametrize("size", [8, 16, 37])
def test_parts_that_can_nowhere_be_the_likeliest_are_left_out(size: int) -> None:
    logits = torch.randn(3, 12, 16, 16, generator=torch.Generator().manual_seed(0)) * 4
    logits[:, 3:9] -= 40
    logits[1, 8, 5, 5] = logits[1, :, 5, 5].logsumexp(0) - 3  # a share of 0.047, more than a twenty-fourth: it stays
    shares = logits.softmax(1)
    kept, parts = _likely(shares)
    assert parts.tolist() == [0, 1, 2, 8, 9, 10, 11]
    assert torch.equal(parts[enlarged(kept, size).argmax(1)], enlarged(shares, size).argmax(1))


def _mask_sampler() -> MaskSampler:
    torch.manual_seed(0)
    model = PICTURE_MODELS["mask-vae"](SCHEMA.channels, 32, condition=CONDITION, latent=4, base=8)
    bank = _bank(torch.randn(12, 4), _numbers(*[A5] * 12))
    return MaskSampler(ConditionedGenerator(model.generator), bank, "categorical", SCHEMA, 32).eval()


def _half_plane(side: int) -> Tensor:
    """2 x side x side: 1 for the part above, or below, a line that falls by .8 px a pixel."""
    rows, columns = torch.meshgrid(torch.arange(side) + 0.5, torch.arange(side) + 0.5, indexing="ij")
    above = (rows < 0.8 * columns + 0.1 * side).float()
    return torch.stack([above, 1 - above])


def _steps(parts: Tensor) -> float:
    """How far, in pixels, the outline of a half-plane (2, S, S) lies from its line."""
    side = parts.shape[1]
    heights = (parts.argmax(0) == 0).sum(0) - (0.8 * (torch.arange(side) + 0.5) + 0.1 * side)
    return float(heights[side // 8 : -side // 8].abs().max())


def test_an_enlarged_outline_shows_no_steps() -> None:
    small = _half_plane(32)
    assert _steps(functional.interpolate(small[None], size=128, mode="nearest")[0]) > 2.5
    assert _steps(functional.interpolate(small[None], size=128, mode="bilinear")[0]) > 1.9
    assert _steps(enlarged(small[None], 128)[0]) < 1.5


def test_likelihoods_stay_where_they_are_and_sum_to_one() -> None:
    shares = torch.randn(2, 3, 16, 16).softmax(1)
    assert torch.equal(enlarged(shares, 16), shares)
    torch.testing.assert_close(enlarged(shares, 40).sum(1), torch.ones(2, 40, 40))
    middle = enlarged(functional.pad(torch.ones(1, 1, 8, 8), (4, 4, 4, 4)), 64)[0, 0]
    torch.testing.assert_close(middle, middle.flip(0))
    torch.testing.assert_close(middle, middle.T)
    assert middle[16:48, 16:48].mean() > 0.85 and abs(float(middle.sum()) / 32**2 - 1) < 0.01


def test_a_mask_is_a_function_of_its_own_seed() -> None:
    sampler, seeds = _mask_sampler(), [11, 12, 13, 14, 15]
    together = sampler.sample(A5, seeds, 32)
    for number, seed in enumerate(seeds):
        alone = sampler.sample(A5, [seed], 32)
        assert np.array_equal(alone.masks[0], together.masks[number])
        assert alone.scores[0] == pytest.approx(together.scores[number], rel=1e-5)
    assert len({mask.tobytes() for mask in together.masks}) == len(seeds)


def test_every_class_has_its_own_number() -> None:
    assert [c.number for c in ALL_CLASSES] == list(range(12))


def test_a_picture_is_a_function_of_its_own_seed() -> None:
    model = PICTURE_MODELS["dcgan"](3, 32, condition=CONDITION, latent=4)
    sampler = PictureSampler(ConditionedGenerator(model.generator), NormalPrior(4)).eval()
    together = sampler.sample(A5, [1, 2, 3])
    assert together.shape == (3, 32, 32, 3) and together.dtype == np.uint8
    for number, seed in enumerate((1, 2, 3)):
        assert np.abs(sampler.sample(A5, [seed])[0].astype(int) - together[number]).max() <= 1
