"""The bank of exemplars, and stage II in use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from augkit.core.classes import CarClass
from augkit.core.parts import IGNORE, Mask, PartSchema
from augkit.data.pair import Pair
from augkit.data.warp.part_warp import part_warp
from augkit.data.whole_car import with_internal_body
from augkit.gan import exemplars
from augkit.gan.conditional_generator import ConditionalGenerator, input_channels
from augkit.gan.conditioning.colours import ColourConditioner
from augkit.gan.conditioning.exemplar import ExemplarConditioner as ExemplarGuide
from augkit.gan.conditioning.noise import NoiseConditioner
from augkit.gan.exemplars import ExemplarBank
from augkit.gan.generated import Exemplar
from augkit.gan.photo_sampler import PhotoSampler
from augkit.models.translator import build_translator

SCHEMA = PartSchema.from_names(["left_door", "right_door", "hood"], [(200, 0, 0), (0, 0, 100), (0, 90, 0)])
A3, A5, B5, D5 = (CarClass(*name) for name in (("A", "3"), ("A", "5"), ("B", "5"), ("D", "5")))  # type: ignore[arg-type]
SIDE = 32


def _mask(part: int = 3, left: int = 8) -> Mask:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[8:24, left : left + 12] = part
    return mask


def _item(car_class: CarClass, mask: Mask, level: int = 90) -> Pair:
    photo = np.full((SIDE, SIDE, 3), level, np.uint8)
    photo[mask == 3] = 255 - level
    return Pair(photo, mask, car_class)


def _bank(items: Sequence[Pair]) -> ExemplarBank:
    return ExemplarBank.of(items, [f"pair-{n}" for n in range(len(items))], SCHEMA)


def _drawn(bank: ExemplarBank, mask: Mask, car_class: CarClass, draws: int = 150) -> set[str]:
    return {bank.draw(mask, car_class, seed).name for seed in range(draws)}


def test_a_bank_gives_back_what_it_was_given() -> None:
    items = [_item(A5, _mask(3, left), 40 + left) for left in (4, 8, 12)]
    bank = _bank(items)
    for place, item in enumerate(items):
        held = bank.at(place)
        assert held.name == f"pair-{place}" and not held.mirrored and held.pair.car_class == A5
        assert np.array_equal(held.pair.mask, item.mask)
        assert np.abs(held.pair.photo.astype(int) - item.photo).max() <= 12  # JPEG


def test_the_second_half_is_the_mirror_image() -> None:
    left = np.zeros((SIDE, SIDE), np.uint8)
    left[8:24, 2:10] = SCHEMA.names.index("left_door")
    held = _bank([_item(A5, left)]).at(1)
    assert held.mirrored and held.pair.car_class == D5
    assert np.array_equal(held.pair.mask, SCHEMA.flip(left))
    assert np.array_equal(held.pair.photo, _bank([_item(A5, left)]).at(0).pair.photo[:, ::-1])


def test_a_draw_is_a_function_of_its_seed_and_seeds_differ() -> None:
    bank = _bank([_item(A5, _mask()) for _ in range(30)])
    assert bank.draw(_mask(), A5, 4).name == bank.draw(_mask(), A5, 4).name
    assert len(_drawn(bank, _mask(), A5)) == ExemplarBank.CHOICE


def test_exemplars_are_of_the_class_where_there_are_enough() -> None:
    enough = [_item(A3, _mask()) for _ in range(ExemplarBank.ENOUGH)]
    bank = _bank([*enough, *(_item(A5, _mask()) for _ in range(9))])
    assert _drawn(bank, _mask(), A3) <= {f"pair-{n}" for n in range(ExemplarBank.ENOUGH)}


def test_exemplars_are_of_the_orientation_where_the_class_has_few() -> None:
    bank = _bank([_item(c, _mask()) for c in (A3, A5, A5, B5)])
    assert _drawn(bank, _mask(), A3) == {"pair-0", "pair-1", "pair-2"}


def test_mirror_images_serve_the_mirror_class() -> None:
    bank = _bank([_item(D5, _mask()), _item(B5, _mask())])
    drawn = bank.draw(_mask(), A5, 0)
    assert (drawn.name, drawn.mirrored, drawn.pair.car_class) == ("pair-0", True, A5)


def test_exemplars_are_any_where_the_orientation_has_none() -> None:
    assert _drawn(_bank([_item(A5, _mask())]), _mask(), B5) == {"pair-0"}


def test_those_that_show_all_parts_come_first() -> None:
    both = _mask(3)
    both[10:14, 10:14] = 1
    items = [_item(A5, _mask(3)) for _ in range(20)] + [_item(A5, np.roll(both, 6, 0)) for _ in range(20)]
    assert _drawn(_bank(items), both, A5) <= {f"pair-{n}" for n in range(20, 40)}


def test_then_those_whose_parts_lie_where_the_masks_do() -> None:
    items = [_item(A5, _mask(3, 1)) for _ in range(15)] + [_item(A5, _mask(3, 16)) for _ in range(15)]
    assert _drawn(_bank(items), _mask(3, 16), A5) <= {f"pair-{n}" for n in range(15, 30)}


def test_what_is_ignored_does_not_count_for_likeness() -> None:
    cut = _mask(3, 16)
    cut[:, :16] = IGNORE
    items = [_item(A5, cut), *(_item(A5, _mask(3, 15)) for _ in range(25))]
    assert _bank(items).like(_mask(3, 16), A5)[0] == 0


def _sampler(*conditioners: str, repair: bool = False) -> PhotoSampler:
    torch.manual_seed(0)
    made = {"colours": ColourConditioner, "exemplar": ExemplarGuide, "noise": NoiseConditioner}
    chosen = [made[name](SCHEMA.channels) for name in conditioners]
    generator = build_translator(input_channels(SCHEMA.channels, chosen), base=4, levels=2, blocks=1)
    rng = np.random.default_rng(0)
    items = [Pair(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8), _mask(), A5) for _ in range(15)]
    return PhotoSampler(ConditionalGenerator(generator, chosen, SCHEMA.channels, repair), _bank(items)).eval()


@pytest.mark.parametrize("conditioners", [("colours",), ("exemplar",), ("noise",), ("exemplar", "colours", "noise")])
def test_a_photo_is_a_function_of_its_mask_and_seed(conditioners: tuple[str, ...]) -> None:
    sampler = _sampler(*conditioners)
    masks = np.stack([_mask(3, left) for left in (4, 6, 8, 10)])
    together = sampler.paint(masks, A5, [1, 2, 3, 4])
    assert together.photos.shape == (4, SIDE, SIDE, 3) and together.photos.dtype == np.uint8
    for number, seed in enumerate((1, 2, 3, 4)):
        alone = sampler.paint(masks[number][None], A5, [seed])
        # Sums of another batch size may round differently; that moves a pixel by one level at most.
        assert np.abs(alone.photos[0].astype(int) - together.photos[number]).max() <= 1
        assert alone.exemplars == [together.exemplars[number]]
    repeated = sampler.paint(masks[[0, 0]], A5, [1, 2]).photos
    assert not np.array_equal(repeated[0], repeated[1])  # one mask, another seed: another photo


def test_a_style_that_is_asked_for_is_everybodys() -> None:
    sampler = _sampler("exemplar")
    style = sampler.bank.at(7)
    assert sampler.paint(np.stack([_mask()] * 3), A5, [1, 2, 3], style).exemplars == ["pair-7"] * 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_repair_adds_to_every_level_of_the_source(dtype: torch.dtype) -> None:
    sampler = _sampler("exemplar", repair=True)
    for parameter in sampler.parameters():
        parameter.requires_grad_(False).zero_()
    sampler.painter.generator.to(dtype)  # type: ignore[operator, union-attr]
    style = sampler.bank.at(3)
    made = sampler.paint(_mask()[None], A5, [0], style).photos[0]
    assert np.array_equal(made, sampler.bank.warp(style, _mask(), A5).photo)


def test_what_all_draws_of_a_class_need_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = _bank([_item(A5, _mask()), _item(B5, _mask(1))])
    first = bank.like(_mask(), A5)
    monkeypatch.setattr(bank, "_pool", None)
    assert bank.like(_mask(), A5) == first == [0]
    more = bank.with_more([_item(A5, _mask())], ["more"])
    assert more.like(_mask(), A5) == [0, 2]


def test_a_part_that_the_exemplar_lacks_comes_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    both = _mask(3)
    both[26:30, 10:20] = 1
    bank = _bank([_item(A5, _mask(3)), _item(A5, both, 60)])
    warped = bank.warp(bank.at(0), both, A5)
    assert warped.valid.all()
    # Of those that show it, a car of the same paint is taken.
    several = _bank([_item(A5, _mask(3)), _item(A5, both, 200), _item(A5, both, 100), _item(A5, both, 150)])
    warped = several.warp(several.at(0), both, A5)
    expected = part_warp(several.at(2).pair.photo, both, both)
    own = part_warp(several.at(0).pair.photo, _mask(3), both)
    assert np.array_equal(warped.photo, own.filled(expected).photo)
    tried: list[Mask] = []
    monkeypatch.setattr(
        exemplars, "part_warp", lambda photo, own, mask, _: tried.append(own) or part_warp(photo, own, mask)
    )
    several.warp(several.at(0), both, A5)
    assert len(tried) == 2 and np.array_equal(tried[1], both), "nobody else is warped who has nothing to give"
    alone = _bank([_item(A5, _mask(3))])
    assert not alone.warp(alone.at(0), both, A5).valid[27, 12]


def test_an_exemplar_from_elsewhere_gets_the_body_that_its_colours_show() -> None:
    whole = with_internal_body(SCHEMA)
    photo, mask = np.full((64, 64, 3), 230, np.uint8), np.zeros((64, 64), np.uint8)
    photo[22:50, 16:48], mask[30:50, 16:48] = (20, 30, 120), 3
    pair = Pair(photo, mask, A5)
    bank = ExemplarBank.of([pair], ["a"], whole)
    shown = bank.whole(pair).mask
    assert (shown[29, 20:44] == 4).all() and not shown[:16].any() and np.array_equal(shown == 3, mask == 3)
    assert np.array_equal(bank.with_more([pair], ["b"]).at(1).pair.mask, shown)
    assert ExemplarBank.of([pair], ["a"], SCHEMA).whole(pair) is pair
    photos = PhotoSampler(_sampler("colours").painter, bank)
    asked = photos._whole(Exemplar(pair, "a", False))
    assert np.array_equal(asked.pair.mask, shown) and photos._whole(Exemplar(pair, "a", False)) is asked
