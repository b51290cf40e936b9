"""Every arm gets the same budget, val chooses, and test is read once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from augkit.cli._app import run as command
from augkit.core.errors import ConfigError, DataError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.evaluate.utility.arms import KINDS, Arm, Choice
from augkit.evaluate.utility.held_out import HeldOut
from augkit.evaluate.utility.study import compare_arms
from augkit.evaluate.utility.trial import Trial
from augkit.evaluate.utility.tuning import TUNING_SEED, TuningFile, budget, tune
from augkit.settings import Settings, load_settings
from augkit.settings.utility import UtilitySettings
from tests.evaluate.utility.test_study import NARROW, write
from tests.stages.runs import tiny

CLASSICAL = Arm("real+classical")
SMALL = ("utility.presets=[flip, mild]", "utility.lr_factors=[1, 3]", "utility.lengths=[1]")
SETTINGS: Settings = tiny("fpn", 3, *SMALL)


@pytest.fixture
def tested(copied_workspace: Workspace) -> Workspace:
    """Some of the held-out pairs are of the split test."""
    rows = read_catalogue(copied_workspace.catalogue)
    test = {row.id for row in [row for row in rows if row.split == "val"][2:]}
    write_catalogue(copied_workspace.catalogue, [replace(r, split="test") if r.id in test else r for r in rows])
    write(copied_workspace, 6, splits=("train", "val", "test"))
    return copied_workspace


def test_all_combinations_or_one_setting_after_the_other() -> None:
    def score(choice: Choice) -> float:
        return {"none": 1, "flip": 2, "mild": 4, "strong": 3}[choice.preset] + choice.lr_factor - choice.length

    grid, lines = UtilitySettings(), UtilitySettings(search="lines")
    best, tried = tune(CLASSICAL, grid, score)
    assert best == Choice("mild", 3.0, 1.0) and len({attempt.choice for attempt in tried}) == 4 * 3 * 2
    assert budget(CLASSICAL, grid) == (24, 36.0)
    same, fewer = tune(CLASSICAL, lines, score)
    assert same == best and len(fewer) == budget(CLASSICAL, lines)[0] == 4 + 2 + 1
    assert [attempt.val for attempt in fewer] == [score(attempt.choice) for attempt in fewer]
    assert tune(CLASSICAL, grid, lambda choice: 0.0)[0] == Choice("none", 1.0, 1.0)  # the first of equal ones


def test_the_budget_is_the_same_for_every_arm_that_has_presets() -> None:
    own = UtilitySettings()
    found = {name: budget(Arm(name, 0.25), own)[0] for name in KINDS}
    assert {found[name] for name, kind in KINDS.items() if kind.classical} == {24}
    assert {found[name] for name, kind in KINDS.items() if not kind.classical} == {6}  # with flip, and that alone


def test_what_a_choice_changes() -> None:
    base = load_settings("cpu")
    own, steps = Choice("strong", 3.0, 1.5).applied(base, 100)
    assert (own.segmenter.augment, steps) == ("strong", 150)
    assert own.segmenter.optim.lr == pytest.approx(3 * base.segmenter.optim.lr)
    assert own.segmenter.encoder_lr == pytest.approx(3 * base.segmenter.encoder_lr)
    arm = Arm("real+cutmix").settings(base, 0, 100, Choice("strong", 1.0, 1.5))
    assert arm.segmenter.augment == "strong+cutmix" and arm.segmenter.steps == 150
    assert CLASSICAL.settings(base, 0, 9, Choice("none")).segmenter.augment == "none"


def test_val_chooses_and_test_is_read_once_the_choice_is_frozen(
    tested: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, int, str]] = []

    def run(self: Trial, held: HeldOut, report: Any = None) -> Any:
        own = self.settings.segmenter
        read.append((held.split, self.seed, own.augment))
        good = own.augment == "flip" and own.optim.lr > 2 * SETTINGS.segmenter.optim.lr
        return np.full((len(held.items), held.schema.channels, 3), [1 + good, 2, 2])

    monkeypatch.setattr(Trial, "run", run)
    study = compare_arms(tested, SETTINGS, [CLASSICAL, Arm("generated")], 2, 3, tuned=True)
    assert study.tuned == {"real+classical": Choice("flip", 3.0), "generated": Choice("flip", 3.0)}
    first_test = [split for split, *_ in read].index("test")
    assert {(split, seed) for split, seed, _ in read[:first_test]} == {("val", TUNING_SEED)} and first_test == 4 + 2
    assert all(seed != TUNING_SEED and preset == "flip" for _, seed, preset in read[first_test:])
    assert study.arms[0].figures["overall"].value == 1
    kept = json.loads((tested.reports / "utility-tuning.json").read_text())
    assert kept["seed"] == TUNING_SEED and len(kept["arms"]["real+classical"]["tried"]) == 4

    read.clear()
    again = compare_arms(tested, SETTINGS, [CLASSICAL, Arm("generated")], 2, 3, tuned=True)
    assert again.tuned == study.tuned and TUNING_SEED not in {seed for _, seed, _ in read}  # taken from the file
    read.clear()
    compare_arms(tested, tiny("fpn", 3, *SMALL[:2], "utility.lengths=[1, 2]"), [CLASSICAL], 1, 3, tuned=True)
    assert len([seed for _, seed, _ in read if seed == TUNING_SEED]) == 8  # another choice is made anew


def test_a_broken_file_is_told(tested: Workspace) -> None:
    tested.reports.mkdir(exist_ok=True)
    (tested.reports / "utility-tuning.json").write_text('{"seed": "x"}')
    with pytest.raises(DataError, match=r"utility-tuning\.json: seed(.|\n)*remove it"):
        TuningFile(tested).frozen(CLASSICAL, "")


def test_without_test_photos_nothing_is_tuned(copied_workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    write(copied_workspace, 6)
    words = ["evaluate", "utility", "-w", str(copied_workspace.root), "--config", "smoke", "--set", NARROW, "--tune"]
    assert command(words) == 3
    told = " ".join(capsys.readouterr().err.split())
    assert "held-out photos of the split val alone" in told and "data.test_share=0.15" in told
    assert not (copied_workspace.root / "utility").exists()


def test_presets_of_the_choice_are_read_with_the_settings() -> None:
    with pytest.raises(ConfigError, match="no augmentation preset at wild"):
        load_settings(None, ["utility.presets=[wild]"])
    with pytest.raises(ConfigError, match="only stage II"):
        load_settings(None, ["utility.presets=[warp]"])
