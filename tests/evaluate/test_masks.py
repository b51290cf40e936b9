"""Stage I against held-out masks."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from augkit.cli._app import run
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import IGNORE, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.data.crop import resize_mask
from augkit.data.pair_files import read_mask
from augkit.evaluate import masks, trained_stages
from augkit.evaluate.masks import MaskEvaluation, evaluate_masks
from augkit.gan.generated import MaskDraw
from augkit.gate import mask_rule
from augkit.report.measures import read_measures
from augkit.report.tables.mask_table import mask_table
from augkit.settings import load_settings
from augkit.sources.render import fitted_cars
from augkit.stages.model_store import ModelStore


class Replaying:
    """A stage I that hands out the masks of the catalogue's rows of a split, over and over."""

    def __init__(self, workspace: Workspace, split: str) -> None:
        self.schema = PartSchema.load(workspace.schema)
        self.rows = [row for row in read_catalogue(workspace.catalogue) if row.split == split]
        masks = [resize_mask(read_mask(workspace.mask(row.id)), 32) for row in self.rows]
        self.masks = [np.where(mask == IGNORE, 0, mask).astype(np.uint8) for mask in masks]

    def sample(self, car_class: CarClass, seeds: Sequence[int], size: int) -> MaskDraw:
        own = [m for m, r in zip(self.masks, self.rows, strict=True) if r.car_class == car_class]
        own += [
            self.schema.flip(m) for m, r in zip(self.masks, self.rows, strict=True) if r.car_class.mirror == car_class
        ]
        return MaskDraw(np.stack([own[number % len(own)] for number in range(len(seeds))]), [{} for _ in seeds])


class Mixing(Replaying):
    """A stage I every other mask of which shows its front right light, too."""

    def sample(self, car_class: CarClass, seeds: Sequence[int], size: int) -> MaskDraw:
        made = super().sample(car_class, seeds, size)
        made.masks[::2, :4] = self.schema.id_of("front_right_light")
        return made


class Shapeless(Replaying):
    """A stage I that draws noise."""

    def sample(self, car_class: CarClass, seeds: Sequence[int], size: int) -> MaskDraw:
        noise = [np.random.default_rng(seed).integers(0, 5, (size, size), np.uint8) for seed in seeds]
        return MaskDraw(np.stack(noise), [{} for _ in seeds])


def hand_out(sampler: Replaying, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"schema": sampler.schema.to_dict()}
    monkeypatch.setattr(trained_stages, "load_mask_sampler", lambda folder: (sampler, about))


def _evaluate(workspace: Workspace, sampler: Replaying, monkeypatch: pytest.MonkeyPatch) -> MaskEvaluation:
    hand_out(sampler, monkeypatch)
    monkeypatch.setattr(masks, "FEWEST", 2)
    return evaluate_masks(workspace, load_settings("smoke"))


def test_training_masks_look_real_and_are_copies(
    rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _evaluate(rendered_workspace, Replaying(rendered_workspace, "train"), monkeypatch)
    assert found.whole.figures[0].name == "FD-lite0" and found.whole.figures[0].ratio == pytest.approx(1, abs=0.25)
    assert found.whole.passing > 0.5 and 0 <= found.whole.passing_real <= 1
    assert found.copies.share > 0.9
    real = [row.car_class for row in read_catalogue(rendered_workspace.catalogue)]
    assert {part.name for part in found.classes} <= {c.name for own in real for c in (own, own.mirror)}
    assert all(part.photos > 0 for part in found.classes)


def test_noise_is_far_from_real_and_passes_no_gate(
    rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _evaluate(rendered_workspace, Shapeless(rendered_workspace, "train"), monkeypatch)
    ratio = found.whole.figures[0].ratio
    assert ratio is not None and ratio > 2 and found.whole.passing == 0 and found.copies.share == 0


def test_parts_that_never_meet_are_counted(rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = PartSchema.load(rendered_workspace.schema)
    front, back = schema.id_of("front_right_light"), schema.id_of("back_left_light")
    exclusive = np.zeros((schema.channels, schema.channels), np.bool_)
    exclusive[front, back] = exclusive[back, front] = True
    monkeypatch.setattr(mask_rule, "exclusive_parts", lambda shows, views: exclusive)  # so few cars teach nothing
    found = _evaluate(rendered_workspace, Mixing(rendered_workspace, "train"), monkeypatch)
    assert [set(pair) for pair in found.exclusive.parts] == [{"front_right_light", "back_left_light"}]
    assert found.exclusive.held_out == 0 and 0.1 < found.exclusive.made < 0.4  # half of those seen from behind
    assert found.to_dict()["exclusive"]["made"] == found.exclusive.made
    assert f"both in {found.exclusive.made:.1%} (real 0.0%)" in str(mask_table(found).caption)


def test_the_split_test_is_not_read(without_test_files: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _evaluate(without_test_files, Replaying(without_test_files, "train"), monkeypatch).whole.figures


def test_nothing_held_out_is_said(copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = Replaying(copied_workspace, "train")
    rows = [row for row in read_catalogue(copied_workspace.catalogue) if row.split == "train"]
    write_catalogue(copied_workspace.catalogue, rows)
    with pytest.raises(DataError, match="no held-out pairs"):
        _evaluate(copied_workspace, sampler, monkeypatch)


def test_the_verb(
    copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sampler = Replaying(copied_workspace, "train")
    hand_out(sampler, monkeypatch)
    monkeypatch.setattr(masks, "FEWEST", 2)
    place = ["--workspace", str(copied_workspace.root)]
    assert run(["evaluate", "masks", *place]) == 0
    assert "ratio" in capsys.readouterr().out
    assert run(["evaluate", "masks", *place, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["all"]["figures"][0]["name"] == "FD-lite0" and result["copies"]["expected"] == 0.05
    kept = read_measures({"masks": json.loads((copied_workspace.reports / "masks.json").read_text())})
    assert kept.masks is not None and kept.masks.table.rows[-1][0] == "all"


def test_an_untrained_stage_is_said(copied_workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "masks", "--workspace", str(copied_workspace.root)]) == 3
    assert "train it first" in capsys.readouterr().err


def test_masks_of_rendered_cars_stand_in_for_stage_one(
    rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitted_cars, "POOL", 12)
    store, front = ModelStore.open(rendered_workspace, load_settings("smoke")), CarClass("A", "5")
    made = [
        masks._source_of(store, made_by)(front).sample(front, [1, 2], 24).masks
        for made_by in ("rendered", "rendered-at-random")
    ]
    assert all(drawn.shape == (2, 24, 24) and drawn.any() for drawn in made)
    assert (made[0] != made[1]).any()
    with pytest.raises(ConfigError, match="did you mean rendered"):
        evaluate_masks(rendered_workspace, store.settings, made_by="rendred")
