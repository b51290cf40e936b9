from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

from augkit.balance.plain_options import open_references
from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import DataError
from augkit.core.parts import IGNORE
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.data.pair import UnpaintedMask
from augkit.gate.bounds import Bound, ScoreBounds
from augkit.gate.candidate import Candidate
from augkit.gate.checks.agreement import Agreement, mean_iou, pixel_limits, soft_iou
from augkit.gate.checks.detail import roughness, specks
from augkit.gate.fit import ready_gate, real_scores
from augkit.gate.gate_check import CHECKS
from augkit.gate.judge import Gate, real_pair
from augkit.gate.reference import Folds, ReferenceSet
from augkit.settings import Settings, load_settings
from augkit.sources.render import render_schema
from augkit.sources.render.rendered_samples import rendered_samples
from tests.importing import import_samples

PHOTO_ONLY = "gate.checks=[copied-photo]"


@pytest.fixture
def pair(references: ReferenceSet) -> Candidate:
    """A training pair."""
    place = next(n for n, row in enumerate(references.rows) if row.id in references.folds.numbers)
    return real_pair(references, place)


def test_the_checks_of_the_defaults_are_known() -> None:
    assert set(load_settings().gate.checks) <= set(CHECKS)


def test_near_duplicates_share_a_fold(references: ReferenceSet) -> None:
    rows = [replace(row, group="one") if n % 7 == 0 else row for n, row in enumerate(references.rows)]
    folds = Folds.of(rows, 2, 0)
    assert len({folds[row.id] for row in rows if row.group == "one" and row.split == "train"}) == 1
    assert set(folds.numbers) == {row.id for row in rows if row.split == "train"}
    assert abs(sum(1 if fold else -1 for fold in folds.numbers.values())) < 20


def test_folds_judge_by_what_has_not_seen_the_row(references: ReferenceSet) -> None:
    for id, fold in references.folds.numbers.items():
        assert references.folds.judge(id) == fold and id not in {row.id for row in references.without(fold)}
    assert references.folds.judge("") == references.folds.count == 2
    assert {row.id for row in references.without(2)} == set(references.folds.numbers)


def test_too_few_photos_are_refused(references: ReferenceSet) -> None:
    with pytest.raises(DataError, match="1 different training photos"):
        Folds.of([replace(row, group="same") for row in references.rows], 2, 0)
    with pytest.raises(DataError, match="at least 8"):
        Folds.of(references.rows[:7], 2, 0)


def test_a_copied_mask_is_at_distance_nought(gate: Gate, pair: Candidate) -> None:
    copied = gate.checks["copied-mask"].score(replace(pair, own=""))["mask_distance"]
    new = gate.checks["copied-mask"].score(pair)["mask_distance"]
    assert copied == 0.0 and new > gate.bounds.bounds["mask_distance"].low > 0
    mirrored = Candidate(UnpaintedMask(pair.mask, pair.car_class).flip(gate.references.schema))
    assert gate.checks["copied-mask"].score(mirrored)["mask_distance"] == 0.0


def test_copied_masks_of_another_size_are_at_distance_nought(fitted: Workspace, gate_settings: Settings) -> None:
    """Masks are made smaller by one rule on both sides, so that what is lost is lost on both."""
    tall = gate_settings.model_copy(update={"image": gate_settings.image.model_copy(update={"size": 96})})
    references = open_references(fitted, tall)
    check = CHECKS["copied-mask"](CHECKS["copied-mask"].fit(references), references)
    for item, _ in islice(references.training(), 12):
        assert check.score(Candidate(UnpaintedMask(item.mask, item.car_class))) == {"mask_distance": 0.0}


def test_copies_among_the_real_masks_let_no_copy_through(workspace: Workspace, gate_settings: Settings) -> None:
    """More of them than the budget: the quantile alone would put the bound at nought."""
    own = gate_settings.model_copy(update={"gate": gate_settings.gate.model_copy(update={"checks": ("copied-mask",)})})
    known = [row for row in open_references(workspace, own).rows if row.split == "train"]
    for row, other in zip(known[::3], known[1::3], strict=False):
        shutil.copy(workspace.mask(other.id), workspace.mask(row.id))
    gate = ready_gate(open_references(workspace, own), again=True)
    copied = replace(real_pair(gate.references, gate.references.rows.index(known[-1])), own="")
    assert gate.bounds.quantile == 0.0 and "mask_distance" in gate.judge_mask(copied).reasons
    distances = {score["mask_distance"] for score in real_scores(gate.references).scores}
    assert gate.bounds.bounds["mask_distance"].low == min(distances - {0.0})


@pytest.fixture(scope="module")
def photo_gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    """Twelve cars, and a gate that knows their photos."""
    settings = load_settings("smoke", ["data.size=64", "image.size=64", "data.val_share=0.1", PHOTO_ONLY])
    workspace = Workspace(tmp_path_factory.mktemp("photos") / "workspace")
    samples = rendered_samples({CarClass.parse("front-left-5"): 12}, 64, 1)
    import_samples(samples, render_schema(), workspace, settings, 1)
    return ready_gate(open_references(workspace, settings))


def test_a_copied_photo_is_told_as_a_shard_gives_it_back(photo_gate: Gate) -> None:
    references = photo_gate.references
    floor = real_scores(references).floors["photo_distance"]
    assert 0 < floor < photo_gate.bounds.bounds["photo_distance"].low
    for item, row in references.training():
        for pair in references.both(item):
            stored = replace(pair, photo=references.stored(pair.photo))
            verdict = photo_gate.judge_photo(Candidate(stored, exemplar=row.id))
            assert 0 < verdict.scores["photo_distance"] <= floor and verdict.reasons == ["photo_distance"]


def test_a_photo_that_was_read_is_rejected_as_a_labelled_one_alone(photo_gate: Gate) -> None:
    item, _ = next(iter(photo_gate.references.training()))
    bare = Candidate(replace(item, mask=np.zeros_like(item.mask)))
    made, read = photo_gate.judge(bare), photo_gate.judge(replace(bare, read=True))
    assert len(made.reasons) > 1 and read.reasons == ["photo_distance"] and read.scores == made.scores


def test_a_real_photo_is_not_compared_with_itself(photo_gate: Gate) -> None:
    place = next(n for n, row in enumerate(photo_gate.references.rows) if row.split == "train")
    pair = real_pair(photo_gate.references, place)
    own, copied = (photo_gate.scores(p, "photo")["photo_distance"] for p in (pair, replace(pair, own="")))
    assert copied == 0.0 and own > real_scores(photo_gate.references).floors["photo_distance"]


def test_the_view_judge_knows_held_out_views(gate: Gate, references: ReferenceSet) -> None:
    held = [n for n, row in enumerate(references.rows) if row.id not in references.folds.numbers]
    right = wrong = 0.0
    for place in held:
        pair = real_pair(references, place)
        other = next(c for c in ALL_CLASSES if c.orientation not in (pair.car_class.orientation,))
        right += gate.checks["view"].score(pair)["view_chance"] / len(held)
        wrong += gate.checks["view"].score(pair.changed(car_class=other))["view_chance"] / len(held)
    assert right > 0.8 and wrong < 0.15


def test_adjacency_counts_outlines_that_no_real_mask_has(gate: Gate, pair: Candidate) -> None:
    shuffled = pair.mask.copy()
    parts = np.flatnonzero(np.bincount(pair.mask.reshape(-1), minlength=256)[1:255]) + 1
    for part, other in zip(parts, np.roll(parts, 3), strict=True):
        shuffled[pair.mask == part] = other
    check = gate.checks["adjacency"]
    assert check.score(pair)["adjacency_strange"] < 0.1 < check.score(pair.changed(mask=shuffled))["adjacency_strange"]


def test_palette_distance_is_judged_where_it_was_given(gate: Gate, pair: Candidate) -> None:
    made = replace(pair, own="")
    assert gate.checks["palette"].score(made) == {}
    given = replace(made, given={"palette_distance": 400.0})
    assert gate.checks["palette"].score(given) == {"palette_excess": 400.0 / gate.references.options.rule.slack}
    assert "palette_excess" in gate.judge_mask(given).reasons


def test_roughness_in_closed_form() -> None:
    mask = np.ones((8, 8), np.uint8)
    stripes = np.repeat(np.tile(np.array([0, 200], np.uint8), (8, 4))[..., None], 3, axis=2)
    # Every pixel's neighbours above and below are like it and those beside it differ by 200: |Laplacian| 400, std 100.
    assert roughness(stripes, mask) == pytest.approx(4.0)
    assert roughness(stripes // 2, mask) == pytest.approx(4.0)
    assert roughness(np.full_like(stripes, 7), mask) == 0.0


def test_soft_iou_in_closed_form() -> None:
    mask = np.array([[1, 1, 2, IGNORE]], np.uint8)
    chances = np.array([[[0.0, 0.2, 0.5, 0.0]], [[1.0, 0.5, 0.25, 1.0]], [[0.0, 0.3, 0.25, 0.0]]])
    # Part 1: 1.5 of its 2 pixels and .25 elsewhere. Part 2: .25 of its 1 pixel and .3 elsewhere.
    assert soft_iou(chances, mask) == pytest.approx((1.5 / 2.25 + 0.25 / 1.3) / 2)
    assert soft_iou(chances, np.zeros_like(mask)) == 0.0
    sure = np.eye(3)[np.array([[0, 1, 2]])].transpose(2, 0, 1)
    assert soft_iou(sure, np.array([[0, 1, 2]])) == 1.0


def test_specks_in_closed_form() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:, :4] = 1
    photo = np.full((8, 8, 3), 100, np.uint8)
    photo[2, 1] = (100, 161, 100)  # 61 levels away in one colour
    photo[5, 2] = 160  # 60 levels away: not yet a speck
    photo[4, 6] = 255  # beside the car
    assert specks(photo, mask) == pytest.approx(1 / 32)
    assert specks(photo, np.zeros_like(mask)) == pytest.approx(2 / 64)
    assert specks(np.full_like(photo, 7), mask) == 0.0


def test_mean_iou_in_closed_form() -> None:
    mask = np.array([[1, 1, 2, 0], [1, 1, IGNORE, 0]], np.uint8)
    read = np.array([[1, 1, 0, 2], [2, 1, 2, 0]], np.uint8)
    # Part 1: 3 of 4. Part 2: none of 1 in the mask and 2 that are read where nothing is ignored.
    assert mean_iou(read, mask) == pytest.approx((3 / 4 + 0) / 2)
    assert mean_iou(read, np.zeros_like(mask)) == 0.0


class Reader(torch.nn.Module):
    """Reads the part off the photo's red, which is the part's id."""

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        parts = ((photos[:, 0] + 1) * 127.5).round().long()
        return 20 * torch.nn.functional.one_hot(parts, 64).movedim(-1, 1).float()


def test_a_mask_that_the_photo_does_not_show_is_rejected(references: ReferenceSet) -> None:
    check = object.__new__(Agreement)
    check.folds, check.networks, check.size = references.folds, [Reader()] * references.folds.count, 64
    check.on(torch.device("cpu"))
    own, other = (real_pair(references, place) for place in (0, 1))
    shown = own.changed(photo=np.repeat(own.mask[..., None], 3, axis=2))
    bound = ScoreBounds({"agreement": Bound(0.9, math.inf)}, 0.0, 0.0)
    assert check.score(shown) == pytest.approx({"agreement": 1.0, "mismatch": 0.0}, abs=1e-3)
    assert not bound.reasons(check.score(shown)) and check.score(shown.changed(mask=other.mask))["mismatch"] > 0.1
    assert bound.reasons(check.score(shown.changed(mask=other.mask))) == ["agreement"]
    flipped = shown.changed(mask=references.schema.flip(own.mask))
    assert bound.reasons(check.score(flipped)) == ["agreement"]


def test_a_photo_is_read_once_for_its_score_and_its_filter(references: ReferenceSet) -> None:
    check, reader, reads = object.__new__(Agreement), Reader(), list[object]()
    reader.register_forward_hook(lambda *_: reads.append(1))
    check.folds, check.networks, check.size = references.folds, [reader] * references.folds.count, 64
    check.limits = np.full(references.schema.channels, 1.0)
    check.on(torch.device("cpu"))
    for place in (0, 1, 0):
        real = real_pair(references, place)
        shown = real.changed(photo=np.repeat(real.mask[..., None], 3, axis=2))
        before = len(reads)
        assert check.score(shown)["agreement"] > 0.99
        asked = len(reads)
        assert np.array_equal(check.filter(shown), shown.mask) and len(reads) == asked > before


def test_pixels_that_cost_too_much_are_ignored(
    pair: Candidate, monkeypatch: pytest.MonkeyPatch, references: ReferenceSet
) -> None:
    check = object.__new__(Agreement)
    check.limits = np.full(references.schema.channels, 1.25)
    costs = np.where(np.arange(64) < 16, 1.26, 1.25) * np.ones((64, 1))
    monkeypatch.setattr(check, "costs", lambda pair: (pair.mask, costs))
    filtered = check.filter(pair)
    assert (filtered[:, :16] == IGNORE).all() and (filtered[:, 16:] == pair.mask[:, 16:]).all()


def test_what_a_pixel_may_cost_in_closed_form() -> None:
    """201 levels of an even spread from 0 to 2 (mean 1) and of one from 0 to 20 under a small mean."""
    mean, levels = np.array([1.0, 1.0]), np.stack([np.linspace(0, 2, 201), np.linspace(0, 20, 201)])
    assert pixel_limits(mean, levels, 0.05, 1.25) == pytest.approx([1.9, 19.0])
    assert pixel_limits(mean, levels, 0.5, 1.25) == pytest.approx([1.25, 10.0])
    assert pixel_limits(mean, levels, 1.0, 1.25) == pytest.approx([1.25, 1.25])


def test_pairs_of_the_test_split_decide_nothing(workspace: Workspace, gate_settings: Settings) -> None:
    rows = read_catalogue(workspace.catalogue)
    place = next(n for n, row in enumerate(rows) if row.split == "val")
    rows[place] = replace(rows[place], split="test")
    write_catalogue(workspace.catalogue, rows)
    seen = {row.id for row in open_references(workspace, gate_settings).rows}
    assert rows[place].id not in seen and len(seen) == len(rows) - 1


def test_bounds_let_the_real_pairs_through(gate: Gate, references: ReferenceSet) -> None:
    assert gate.bounds.rejected_real <= 0.05
    places = references.training_places
    rejected = np.mean([bool(gate.judge(real_pair(references, place)).reasons) for place in places])
    assert rejected == pytest.approx(gate.bounds.rejected_real)
    assert math.isfinite(gate.bounds.bounds["detail"].low) and math.isfinite(gate.bounds.bounds["detail"].high)


def test_held_out_pairs_set_no_bound(gate: Gate, references: ReferenceSet) -> None:
    rows = references.rows
    assert real_scores(references).ids == [row.id for row in rows if row.split == "train"] and len(rows) > 0
    noted = json.loads((references.folder / "real.json").read_text())
    assert set(noted["ids"]).isdisjoint(row.id for row in rows if row.split != "train")


def test_a_black_photo_is_told_without_a_crash(gate: Gate, pair: Candidate) -> None:
    assert "detail" in gate.judge_photo(pair.changed(photo=np.zeros_like(pair.pair.photo))).reasons


def test_an_empty_mask_is_told_without_a_crash(gate: Gate, pair: Candidate) -> None:
    assert gate.judge(replace(pair.changed(mask=np.zeros_like(pair.mask)), own="")).reasons
