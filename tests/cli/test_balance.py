from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from augkit.balance.plan import PlanRow
from augkit.balance.planner import PATIENCE
from augkit.balance.rates import candidates
from augkit.balance.shard_job import ShardReport
from augkit.balance.worker import Worker
from augkit.core.progress import Progress
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.settings import load_settings
from augkit.shards.index import load_index
from tests.balance.conftest import COUNTS, digests

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def balance(augkit: Command, trained: Workspace) -> Command:
    """The verb in a trained workspace, with its own settings and the local executor; for classes with real pairs."""
    only = [option for name in COUNTS for option in ("--only", name)]
    return partial(augkit, "balance", "--workspace", trained.root, "--executor", "local", *only)


def test_the_plan_as_json(balance: Command, trained: Workspace) -> None:
    code, out, _ = balance("--dry-run", "--json")
    plan = json.loads(out)
    assert code == 0 and not trained.shards.exists()
    assert set(plan) == {
        "target", "precision", "device", "batch", "classes", "parts", "untrained", "candidates", "shards", "megabytes",
        "seconds", "overview", "chart", "forecast", "presets",
    }  # fmt: skip
    assert (plan["target"], plan["shards"], plan["untrained"], plan["parts"]) == (10, 7, [], {})
    assert plan["megabytes"] > 0 and plan["seconds"] > 0
    nothing = {"pseudo": 0, "offered": 0, "extra": 0, "accepted": 0, "given_up": False, "tried": 0, "accept_rate": 0.25}
    common = nothing | {"mask_model": "all", "image_model": "all"}
    mirror = {"real": 0, "training": 0, "need": 0, "todo": 0, "candidates": 0, **common}
    assert plan["classes"] == {
        "front-left-5": {"real": 9, "training": 7, "need": 3, "todo": 3, "candidates": 12, **common},
        "back-right-3": {"real": 7, "training": 6, "need": 4, "todo": 4, "candidates": 16, **common},
        "back-left-3": mirror, "front-right-5": mirror,
    }  # fmt: skip
    assert plan["candidates"] == 28


def test_the_plan_learns_from_the_shards(balance: Command, balanced_workspace: Workspace, trained: Workspace) -> None:
    shutil.copytree(balanced_workspace.shards, trained.shards)
    plan = json.loads(balance("--dry-run", "--json", "--target-per-class", 12)[1])
    front = plan["classes"]["front-left-5"]
    assert (front["accepted"], front["todo"]) == (3, 2) and front["tried"] >= 3
    index = load_index(open_storage(trained.shards), [("source", "==", "generated")])
    mean = (1 + sum(index["accepted"].to_pylist())) / (4 + len(index))
    assert front["accept_rate"] == pytest.approx((3 + 8 * mean) / (front["tried"] + 8), abs=1e-4)
    assert front["candidates"] == math.ceil(2 / ((3 + 8 * mean) / (front["tried"] + 8)))


def test_a_part_target_in_the_plan(balance: Command, trained: Workspace) -> None:
    options = ("--target-per-class", 1, "--target-part", "trunk=10%", "--set", "balance.precision=auto")
    plan = json.loads(balance("--dry-run", "--json", *options)[1])
    trunk = plan["parts"]["trunk"]
    assert trunk["target"] == 0.1 and trunk["real"] < 0.1 <= trunk["expected"]
    assert trunk["classes"] == ["back-right-3"] and plan["classes"]["back-right-3"]["extra"] > 0
    text = " ".join(balance("--dry-run", *options)[1].split())
    assert "target 10.00%" in text and "25%?" in text and f"generating in {plan['precision']}: this processor" in text


def test_the_plan_names_what_is_to_be_trained(balance: Command, trained: Workspace) -> None:
    shutil.rmtree(trained.root / "models")
    plan = json.loads(balance("--dry-run", "--json")[1])
    assert plan["untrained"] == [["mask", "all"], ["image", "all"]] and plan["seconds"] is None
    code, out, _ = balance("--dry-run")
    assert code == 0 and "mask all, image all" in " ".join(out.split())


def test_the_job_writes_shards_and_pictures(
    balance: Command, trained: Workspace, balanced_workspace: Workspace
) -> None:
    code, out, err = balance("--json")
    result = json.loads(out)
    assert code == 0, err
    assert digests(trained) == digests(balanced_workspace)
    assert result["classes"] == {
        "front-left-5": {"training": 7, "generated": 3, "pseudo": 0},
        "back-right-3": {"training": 6, "generated": 4, "pseudo": 0},
        "back-left-3": {"training": 0, "generated": 0, "pseudo": 0},
        "front-right-5": {"training": 0, "generated": 0, "pseudo": 0},
    }
    assert result["parts"] == {} and result["rounds"] >= 1
    assert result["short"] == {} and result["failures"] == [] and result["generated_now"] == 7
    for name in ("contact_sheet", "chart"):
        with Image.open(result[name]) as picture:
            assert picture.size[0] > 100
    assert load_settings(trained.settings).balance.target_per_class == 10
    plan = json.loads(balance("--dry-run", "--json")[1])
    assert [about["todo"] for about in plan["classes"].values()] == [0] * 4 and plan["seconds"] == 0.0
    assert json.loads(balance("--json")[1])["generated_now"] == 0


def test_the_target_is_remembered(balance: Command, trained: Workspace) -> None:
    assert balance("--target-per-class", 8)[0] == 0
    assert load_settings(trained.settings).balance.target_per_class == 8
    assert json.loads(balance("--dry-run", "--json")[1])["target"] == 8


def test_another_seed_gives_other_pairs(balance: Command, trained: Workspace, balanced_workspace: Workspace) -> None:
    assert balance("--seed", 1, "--json")[0] == 0
    mine, theirs = digests(trained), digests(balanced_workspace)
    assert (
        mine["shard-000000.tar"] == theirs["shard-000000.tar"]
        and mine["shard-000005.tar"] != theirs["shard-000005.tar"]
    )


@pytest.mark.parametrize("target", ["0", "-4"])
def test_a_target_must_be_positive(balance: Command, trained: Workspace, target: str) -> None:
    code, out, err = balance("--target-per-class", target)
    assert code == 2 and "balance.target_per_class" in err and "greater than or equal to 1" in err and not out
    assert not trained.shards.exists()


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        (["--only", "front-left-4"], ["no class named 'front-left-4'", "back-right-3"]),
        (["--only", "front-right-3"], ["front-right-3: no real pair", "front-left-5, back-right-3"]),
        (["--target-part", "trunk=200%"], ["trunk=200%", "less than 100%"]),
        (["--target-part", "boot=2%"], ["boot: no such part", "hood", "trunk"]),
        (["--target-part", "trunk=90%"], ["no class shows that much of it", "back-right-3 shows the most"]),
        (["--set", "balance.target_parts={trunk: 3}"], ["balance.target_parts.trunk", "less than 1"]),
        (["--executor", "cloud"], ["--executor cloud", "local, ray"]),
        (["--set", "gate.slak=2"], ["gate.slak", "did you mean gate.slack"]),
        (["--config", "nowhere"], ["no settings at nowhere", "smoke"]),
    ],
)
def test_orders_that_cannot_be(balance: Command, trained: Workspace, options: list[str], texts: list[str]) -> None:
    before = trained.settings.read_bytes()
    code, out, err = balance("--json", *options)
    assert code == 2 == json.loads(out)["error"]["exit_code"]
    assert all(text in err for text in texts), err
    assert trained.settings.read_bytes() == before and not trained.shards.exists()


def test_other_settings_are_refused_before_anything_is_written(augkit: Command, balanced: Workspace) -> None:
    before, settings = digests(balanced), balanced.settings.read_bytes()
    shutil.rmtree(balanced.root / "models")  # it must not be trained first either
    code, _, err = augkit("balance", "-w", balanced.root, "--executor", "local", "--set", "balance.quality=90")
    assert code == 2 and "--fresh" in err
    assert digests(balanced) == before and balanced.settings.read_bytes() == settings
    assert not (balanced.root / "models").exists()


def test_no_train_names_the_missing_models(balance: Command, trained: Workspace) -> None:
    shutil.rmtree(trained.model("image", "all"))
    code, _, err = balance("--no-train")
    assert code == 2 and "image all" in err and "mask all" not in err and "augkit train" in err


def test_no_train_asks_for_a_fitted_gate(balance: Command, trained: Workspace) -> None:
    code, _, err = balance("--no-train", "--set", "gate.checks=[copied-mask]")
    assert code == 2 and "the gate is not fitted" in err and "augkit gate" in err
    assert not (trained.root / "gate").exists() and not trained.shards.exists()


def test_an_empty_folder_is_no_workspace(augkit: Command, tmp_path: Path) -> None:
    code, _, err = augkit("balance", "-w", tmp_path, "--target-per-class", 5)
    assert code == 3 and str(tmp_path) in err and "augkit import" in err
    assert list(tmp_path.iterdir()) == []


def test_a_class_out_of_reach_is_reported(balance: Command) -> None:
    code, out, err = balance(
        "--json", "--set", "gate.slack=1.0", "--set", "gate.quantile=0.49", "--set", "balance.attempts=4"
    )
    short = json.loads(out)["short"]
    assert code == 4 and set(short) == {"front-left-5", "back-right-3"}
    about = short["back-right-3"]
    assert about["wanted"] == 4 and about["given_up"] and 4 <= about["tried"] <= candidates(4, 1 / 4, PATIENCE)
    text = " ".join(err.split())
    assert "area:" in text and f"of 4 pairs after {about['tried']} candidates, given up" in text
    assert "--set balance.attempts=N" in text


class Unlucky(Worker):
    """Cannot make one shard."""

    def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
        if row.shard == "shard-000004":
            raise ArithmeticError("out of luck")
        return super().make(row, digest, progress)


def test_a_shard_that_was_given_up_is_reported(balance: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("augkit.balance.job.Worker", Unlucky)
        code, out, err = balance("--json")
    assert code == 4 and "shard-000004 (front-left-5): ArithmeticError('out of luck')" in err
    assert [failure["shard"] for failure in json.loads(out)["failures"]] == ["shard-000004"]
    assert balance()[0] == 0


def test_a_corrupt_model_is_named(balance: Command, trained: Workspace) -> None:
    path = trained.model("mask", "all") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    code, out, err = balance("--json")
    assert code == 3 and str(path) in err and "train again" in err and str(path) in json.loads(out)["error"]["found"]
    assert not (trained.shards / "manifest.json").exists()


def test_a_corrupt_checkpoint_is_named(balance: Command, trained: Workspace) -> None:
    (trained.model("image", "all") / "config.json").unlink()  # as after an interruption
    path = trained.model("image", "all") / "checkpoint.safetensors"
    path.write_bytes(b"nothing")
    code, _, err = balance()
    assert code == 3 and str(path) in err and "remedy" in err


def test_shards_that_cannot_be_written(balance: Command, trained: Workspace) -> None:
    trained.shards.write_text("a file is in the way")
    code, _, err = balance()
    assert code == 3 and str(trained.shards) in err and "remedy" in err
    assert trained.shards.read_text() == "a file is in the way"


def test_an_interruption_is_130(balance: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Worker, "make", interrupt)
    code, out, err = balance("--json")
    assert code == 130 == json.loads(out)["error"]["exit_code"] and "run the same command again" in err
