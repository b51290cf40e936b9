"""Stage II against held-out photos."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from augkit.cli._app import run
from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, DataError
from augkit.core.parts import Mask, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue, write_catalogue
from augkit.data.crop import resize_photo
from augkit.data.pair_files import read_photo
from augkit.evaluate import trained_stages
from augkit.evaluate.photos import PhotoEvaluation, evaluate_photos
from augkit.gan.generated import GeneratedPhotos
from augkit.report.measures import read_measures
from augkit.settings import load_settings


class Replaying:
    """A stage II that hands out training photos of the class, the seed's choice."""

    def __init__(self, workspace: Workspace) -> None:
        self.schema = PartSchema.load(workspace.schema)
        self.rows: list[CatalogueRow] = [r for r in read_catalogue(workspace.catalogue) if r.split == "train"]
        self.photos = [resize_photo(read_photo(workspace.photo(row.id)), 32) for row in self.rows]

    def paint(self, masks: Mask, car_class: CarClass, seeds: Sequence[int]) -> GeneratedPhotos:
        found = []
        for seed in seeds:
            own = [
                p if r.car_class == car_class else p[:, ::-1]
                for p, r in zip(self.photos, self.rows, strict=True)
                if car_class in (r.car_class, r.car_class.mirror)
            ]
            found.append(own[seed % len(own)])
        return GeneratedPhotos(np.stack(found), [self.rows[0].id] * len(seeds))

    def warp(self, mask: Mask, car_class: CarClass, seed: int) -> NDArray[np.uint8]:
        return self.paint(mask[None], car_class, [seed]).photos[0]


class Flat(Replaying):
    """A stage II that knows one photo, and it is grey noise."""

    def paint(self, masks: Mask, car_class: CarClass, seeds: Sequence[int]) -> GeneratedPhotos:
        noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
        return GeneratedPhotos(np.stack([noise] * len(seeds)), ["nobody"] * len(seeds))


def hand_out(sampler: Replaying, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"schema": sampler.schema.to_dict()}
    monkeypatch.setattr(trained_stages, "load_photo_sampler", lambda folder: (sampler, about))


def _evaluate(workspace: Workspace, sampler: Replaying, monkeypatch: pytest.MonkeyPatch) -> PhotoEvaluation:
    hand_out(sampler, monkeypatch)
    return evaluate_photos(workspace, load_settings("smoke"))


def test_training_photos_look_real_vary_and_are_copies(
    rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _evaluate(rendered_workspace, Replaying(rendered_workspace), monkeypatch)
    assert found.held_out[0].name == "FD-lite0" and found.held_out[0].ratio == pytest.approx(1, abs=0.5)
    assert found.copies.share == 1 and found.variety > 0.5 and found.exemplars == 1
    assert found.made == [] and found.fall is None and found.agreement is None  # neither is trained here
    assert found.warped == found.held_out  # this G adds nothing to what it is given
    assert found.detail == pytest.approx(1, abs=0.3) and found.told is None  # no run, no D


def test_one_noise_for_all_is_far_and_has_no_variety(
    rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _evaluate(rendered_workspace, Flat(rendered_workspace), monkeypatch)
    assert (found.held_out[0].ratio or 0) > 2 and found.variety < 1e-5 and found.copies.share == 0
    assert found.detail > 1.5  # noise is rougher than paint


def test_the_split_test_is_not_read(without_test_files: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _evaluate(without_test_files, Replaying(without_test_files), monkeypatch).held_out


def test_nothing_held_out_is_said(copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row for row in read_catalogue(copied_workspace.catalogue) if row.split == "train"]
    write_catalogue(copied_workspace.catalogue, rows)
    with pytest.raises(DataError, match="no held-out pairs"):
        _evaluate(copied_workspace, Replaying(copied_workspace), monkeypatch)


def test_an_untrained_stage_is_said(copied_workspace: Workspace) -> None:
    with pytest.raises(CheckpointError, match="train it first"):
        evaluate_photos(copied_workspace, load_settings("smoke"))


def test_the_verb(trained: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "photos", "-w", str(trained.root), "--config", "smoke", "--set", "data.size=64"]
    more = ["--set", "balance.shard_size=4", "--set", "balance.target_per_class=10", "--set", "balance.retries=1"]
    assert run([*arguments, *more, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["held_out_masks"][0]["name"] == "FD-lite0" and found["fall"] > 0
    assert found["variety"] > 0 and found["exemplars"] > 1 and found["agreement"] is None
    assert found["detail"] > 0 and 0 <= found["discriminator"]["mean"] <= 1
    kept = read_measures({"photos": json.loads((trained.reports / "photos.json").read_text())})
    assert kept.photos is not None and kept.photos.table.rows[0][0] == "FD-lite0, held-out masks"
