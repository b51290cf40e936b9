"""The comparison as a whole, on tiny segmenters and rendered cars."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from augkit.cli._app import run as command
from augkit.core.errors import DataError, ShardError
from augkit.core.parts import PartSchema
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.data.pair_files import read_mask, read_photo
from augkit.evaluate.utility import study as studies
from augkit.evaluate.utility import trial as trials
from augkit.evaluate.utility.arms import DEFAULT, WITH_RENDERED, Arm, arms_of
from augkit.evaluate.utility.held_out import HeldOut, held_out
from augkit.evaluate.utility.study import compare_arms, default_kinds
from augkit.evaluate.utility.trial import Trial
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.index import finish
from augkit.shards.writer import PairRecord
from tests.sharding import SplitWriters
from tests.stages.runs import KilledError, killed_at, tiny

NARROW = "segmenter.options={pretrained: false, widths: [8, 8, 8]}"
SETTINGS = tiny("fpn", 3)


def write(workspace: Workspace, made: int, quality: int = 95, splits: tuple[str, ...] = ("train", "val")) -> None:
    """Shards of the real pairs, and of so many more that stand for generated ones: real ones with changed colours."""
    storage, schema = LocalStorage(workspace.shards), PartSchema.load(workspace.schema)
    writer = SplitWriters(storage)
    rows = [row for row in read_catalogue(workspace.catalogue) if row.split in splits]
    train = [row for row in rows if row.split == "train"]
    for number, row in enumerate([*rows, *train[:made]]):
        generated = number >= len(rows)
        photo = read_photo(workspace.photo(row.id))
        photo = np.ascontiguousarray(photo[:, :, ::-1] if generated else photo)
        record = PairRecord(
            f"generated-{row.id}" if generated else row.id, row.split, "generated" if generated else "real",
            row.orientation, row.doors, 0, "", "", row.size, row.size, row.histogram,
        )  # fmt: skip
        writer.add(
            record, *encode_photo(photo, quality if generated else 95), encode_mask(read_mask(workspace.mask(row.id)))
        )
    finish(storage, writer.commit("row"), schema, "plan", {})


@pytest.fixture
def mixed(copied_workspace: Workspace) -> Workspace:
    write(copied_workspace, 6)
    return copied_workspace


def files(workspace: Workspace) -> set[Path]:
    return set((workspace.root / "utility").rglob("scores-val.npz"))


def test_the_verb_trains_once_and_tells(mixed: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    arms = "real+classical,real+classical+generated"
    words = [
        "evaluate", "utility", "-w", str(mixed.root), "--config", "smoke", "--set", NARROW,
        "--set", "segmenter.batch=2", "--seeds", "2", "--steps", "2", "--ratios", "0.5", "--arms", arms,
    ]  # fmt: skip
    assert command([*words, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [(arm["arm"], arm["real"] > 20, arm["made"]) for arm in result["arms"]] == [
        ("real+classical", True, 0), ("real+classical+generated@50", True, 6),
    ]  # fmt: skip
    assert all(len(arm["figures"]["overall"]["seeds"]) == 2 for arm in result["arms"])
    assert len(result["comparisons"]) == 1 and result["verdict"]["word"] in ("helps", "hurts", "no difference seen")
    assert json.loads((mixed.reports / "utility.json").read_text()) == result
    for picture in (result["chart"], result["part_chart"]):
        assert Path(picture).parent == mixed.reports and Path(picture).read_bytes()[:4] == b"\x89PNG"
    before = {path: path.stat().st_mtime_ns for path in files(mixed)}
    assert len(before) == 4 and not list(mixed.root.glob("utility/*/*/checkpoint.safetensors"))
    assert command(words) == 0
    assert {path: path.stat().st_mtime_ns for path in files(mixed)} == before
    assert result["verdict"]["sentence"][:30] in " ".join(capsys.readouterr().out.split())


def trial(workspace: Workspace, name: str, seed: int = 0, *changes: str) -> Trial:
    (arm,) = arms_of([name], [0.5])
    settings = tiny("fpn", 3, *changes)
    return Trial.of(workspace, arm, seed, arm.settings(settings, seed, settings.segmenter.steps))


def test_an_interrupted_run_goes_on_to_the_same_figures(mixed: Workspace, tmp_path: Path) -> None:
    held = held_out(mixed, SETTINGS.segmenter.size)
    own = trial(mixed, "real+classical+generated")
    whole = own.run(held)
    own.folder.rename(tmp_path / "whole")
    with pytest.raises(KilledError):
        own.run(held, killed_at(2))
    scores = own.folder / "scores-val.npz"
    assert not scores.exists() and (own.folder / "checkpoint.safetensors").is_file()
    steps: list[int] = []
    assert np.array_equal(own.run(held, lambda name, step, of: steps.append(step)), whole)
    assert steps == [3] and scores.is_file()  # step 2 was saved


def test_what_decides_a_run_names_its_folder(mixed: Workspace) -> None:
    names = {trial(mixed, "real").folder, trial(mixed, "real", 1).folder}
    for change in ("segmenter.steps=4", "segmenter.batch=4", "segmenter.rare_classes=1"):
        names.add(trial(mixed, "real", 0, change).folder)
    assert len(names) == 5
    real, made = trial(mixed, "real").folder, trial(mixed, "generated").folder
    write(mixed, 6, quality=50)  # the same keys, other pixels
    assert trial(mixed, "real").folder == real and trial(mixed, "generated").folder != made


def test_other_held_out_pairs_are_measured_anew_without_training(
    mixed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, held = trial(mixed, "real"), held_out(mixed, SETTINGS.segmenter.size)
    own.run(held)
    monkeypatch.setattr(trials, "fit_segmenter", None)
    fewer = type(held)(held.split, held.items[:2], held.schema, held.digest + 1)
    assert own.run(fewer).shape[0] == 2


def test_all_arms_are_measured_on_the_same_pairs_that_none_was_trained_on(
    mixed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def run(self: Trial, held: Any, report: Callable[..., None] | None = None) -> Any:
        seen.append((self.seed, self.arm.name, held.digest, set(self.pairs.index["key"].to_pylist())))
        return np.ones((len(held.items), held.schema.channels, 3), np.int64)

    monkeypatch.setattr(Trial, "run", run)
    study = compare_arms(mixed, SETTINGS, arms_of(["real", "generated"], []), 2, 3)
    assert [(seed, name) for seed, name, *_ in seen] == [(0, "real"), (0, "generated"), (1, "real"), (1, "generated")]
    rows = read_catalogue(mixed.catalogue)
    held = {row.id for row in rows if row.split != "train"}
    assert all(held.isdisjoint(keys) for *_, keys in seen) and len({digest for *_, digest, _ in seen}) == 1
    assert study.photos["overall"] == len(held) and study.split == "val"
    assert study.arms[0].figures["overall"].value == 1 and study.comparisons[0].deltas["overall"].value == 0


def test_what_is_measured_on_test_is_chosen_on_val(
    copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = read_catalogue(copied_workspace.catalogue)
    val = {row.id for row in [row for row in rows if row.split == "val"][:2]}
    write_catalogue(
        copied_workspace.catalogue,
        [replace(r, split="test") if r.split == "val" and r.id not in val else r for r in rows],
    )
    write(copied_workspace, 6, splits=("train", "val", "test"))

    def run(self: Trial, held: HeldOut, report: Any = None) -> Any:
        """On val one arm of each side is the better one; on test it is the other one."""
        better = (self.arm.kind in {"real", "generated"}) == (held.split == "val")
        return np.full((len(held.items), held.schema.channels, 3), [1 + better, 2, 2])

    monkeypatch.setattr(Trial, "run", run)
    arms = arms_of(["real", "real+classical", "generated", "real+generated"], [0.5])
    study = compare_arms(copied_workspace, SETTINGS, arms, 2, 3)
    assert study.split == "test" and "both chosen on val" in study.verdict.sentence and study.verdict.level == 0.95
    assert "generated, the best arm" in study.verdict.sentence and "real, the best without" in study.verdict.sentence
    assert ("generated", "real") in {(c.arm.name, c.against.name) for c in study.comparisons}


def test_the_default_arms_are_those_that_the_shards_have_pairs_for(
    mixed: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_kinds(mixed) == (*DEFAULT, WITH_RENDERED)
    index, schema = pa.table({"source": ["real", "pseudo"]}), PartSchema.from_names(["roof"])
    pairs = SimpleNamespace(index=index, schema=schema)
    monkeypatch.setattr(studies, "training_mix", lambda workspace, source: pairs)
    assert default_kinds(mixed) == (*DEFAULT, "real+classical+pseudo", "all")


def test_arms_without_their_pairs_are_refused_before_anything_is_trained(copied_workspace: Workspace) -> None:
    with pytest.raises(ShardError, match=r"manifest\.json"):
        compare_arms(copied_workspace, SETTINGS, [Arm("real")], 1, 3)
    write(copied_workspace, 0)
    with pytest.raises(ShardError, match=r"real\+generated@25: 0 made and \d+ real(.|\n)*augkit balance"):
        compare_arms(copied_workspace, SETTINGS, [Arm("real"), Arm("real+generated", 0.25)], 1, 3)
    assert not (copied_workspace.root / "utility").exists()
    write(copied_workspace, 0, splits=("train",))
    with pytest.raises(DataError, match=r"no real pair of the splits test or val(.|\n)*val_share"):
        compare_arms(copied_workspace, SETTINGS, [Arm("real")], 1, 3)


def test_a_slip_in_the_ratios(rendered_workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["evaluate", "utility", "--ratios", "half", "--workspace", str(rendered_workspace.root)]) == 2
    assert "--ratios half" in capsys.readouterr().err
