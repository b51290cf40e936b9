"""Generators under one budget, judged alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

from augkit.core.errors import CheckpointError, ConfigError, DataError, RegistryError
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from augkit.evaluate import benchmark
from augkit.evaluate.benchmark import BenchmarkEntry, BenchmarkResult, run_benchmark, save_results
from augkit.settings import load_settings
from augkit.train.checkpoint import save_state

SMALL = ["mask.size=16", "mask.batch=4", "mask.steps=1000000", "mask.options={latent: 4}"]
GAN = BenchmarkEntry("gan", "mask", load_settings("smoke", [*SMALL, "mask.model=dcgan-upsampling"]))
VAE = BenchmarkEntry("vae", "mask", load_settings("smoke", [*SMALL[:3], "mask.options={latent: 4, base: 8}"]))
PHOTOS = BenchmarkEntry(
    "photos",
    "image-unconditional",
    load_settings(
        "smoke", ["unconditional.size=16", "unconditional.options={latent: 4}", "unconditional.steps=1000000"]
    ),
)

PAINTER = BenchmarkEntry(
    "painter",
    "image",
    load_settings(
        "smoke",
        ["image.size=16", "image.batch=2", "image.options={base: 4, levels: 1, blocks: 1}", "image.steps=1000000"],
    ),
)


def _steps(workspace: Workspace, entry: BenchmarkEntry) -> int:
    about = json.loads((workspace.root / "benchmark" / entry.name / entry.stage / "all" / "config.json").read_text())
    return int(about["steps"])


def test_every_entry_trains_for_its_budget_and_is_judged(copied_workspace: Workspace, tmp_path: Path) -> None:
    told: list[BenchmarkResult] = []
    results = run_benchmark(copied_workspace, [GAN, VAE, PHOTOS, PAINTER], 0.5, done=told.append)
    assert told == results and [r.name for r in results] == ["gan", "vae", "photos", "painter"]
    for result in results:
        assert result.steps >= 1 and "budget" in result.stopped and result.distance_name == "FD-lite0"
        assert result.distance > 0 and result.distance_floor > 0 and result.ratio is not None
        assert result.parameters_g > 0 and result.parameters_d > 0 and result.pictures == 16
        assert result.inception_score >= 1 and result.seconds_per_step > 0
    save_results(results, tmp_path / "reports" / "compare.json")
    rows = json.loads((tmp_path / "reports" / "compare.json").read_text())
    assert [row["name"] for row in rows] == ["gan", "vae", "photos", "painter"]


def test_the_split_test_is_not_read(without_test_files: Workspace) -> None:
    [result] = run_benchmark(without_test_files, [VAE], 0.2)
    assert result.pictures == 10  # five held-out masks and their mirror images


def test_what_was_trained_is_not_trained_again_and_a_longer_budget_goes_on(copied_workspace: Workspace) -> None:
    run_benchmark(copied_workspace, [VAE], 0.3)
    first = _steps(copied_workspace, VAE)
    run_benchmark(copied_workspace, [VAE], 0.01)
    assert _steps(copied_workspace, VAE) == first
    run_benchmark(copied_workspace, [VAE], 30 * 0.3)
    assert _steps(copied_workspace, VAE) > first


def test_runs_of_the_previous_version_are_found_where_they_are(copied_workspace: Workspace) -> None:
    run_benchmark(copied_workspace, [VAE], 0.3)
    steps, place = _steps(copied_workspace, VAE), copied_workspace.root / "benchmark"
    place.rename(copied_workspace.root / "contest")
    run_benchmark(copied_workspace, [VAE], 0.01)
    about = json.loads((copied_workspace.root / "contest" / "vae" / "mask" / "all" / "config.json").read_text())
    assert about["steps"] == steps and not place.exists()


def test_another_recipe_of_the_same_name_is_refused_or_trained_afresh(copied_workspace: Workspace) -> None:
    run_benchmark(copied_workspace, [VAE], 0.2)
    other = BenchmarkEntry("vae", "mask", load_settings("smoke", [*SMALL[:3], "mask.options={latent: 2, base: 8}"]))
    with pytest.raises(CheckpointError, match="other settings"):
        run_benchmark(copied_workspace, [other], 0.2)
    assert run_benchmark(copied_workspace, [other], 0.2, fresh=True)


def test_nothing_is_trained_before_all_settings_are_known_to_work(copied_workspace: Workspace) -> None:
    for stage, change, error in (
        ("mask", "mask.model=nope", RegistryError),
        ("mask", "mask.lecam=1", ConfigError),
        ("image", "image.options={nope: 1}", ConfigError),
        ("image", "image.init_from=nowhere", CheckpointError),
    ):
        wrong = BenchmarkEntry(
            "wrong", cast("benchmark.BenchmarkStage", stage), load_settings("smoke", [*SMALL[:3], change])
        )
        with pytest.raises(error):
            run_benchmark(copied_workspace, [GAN, wrong], 0.2)
    assert not (copied_workspace.root / "benchmark").exists()


def test_time_without_a_checkpoint_does_not_count(tmp_path: Path) -> None:
    """A killed run goes on from its checkpoint: what it trained after that is lost, and no part of its budget."""
    (tmp_path / "metrics.jsonl").write_text(
        "".join(json.dumps({"step": step, "seconds_per_step": 0.5}) + "\n" for step in (1, 10, 20, 30))
    )
    assert benchmark._spent(tmp_path) == 0
    save_state({"step": 24}, tmp_path / "checkpoint.safetensors", {})
    assert benchmark._spent(tmp_path) == 12


def test_without_held_out_pictures_there_is_nothing_to_judge_by(copied_workspace: Workspace) -> None:
    rows = [row for row in read_catalogue(copied_workspace.catalogue) if row.split == "train"]
    write_catalogue(copied_workspace.catalogue, rows)
    with pytest.raises(DataError, match="no held-out pairs"):
        run_benchmark(copied_workspace, [VAE], 0.2)
    assert not (copied_workspace.root / "benchmark").exists()
