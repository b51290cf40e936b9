"""Two processes that really are two, against one process with the same batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from augkit.core.workspace import Workspace
from augkit.train.checkpoint import load_state

from .runs import TINY, KilledError, killed_at, run, tiny, write_shards

TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc_per_node",
    "2",
    "-m",
    "augkit.train",
]

STEPS = 3
PATIENCE = 240

RUNNING = ("running_mean", "running_var", "num_batches_tracked")
"""What a batch norm has seen: a process sees its own share of each step, one alone all of it, in two parts."""

# Spectral norm takes a power step at every forward pass, of which two microbatches make twice as many.
EXACT = {"translator": ["image.discriminator={base: 8, layers: 2, scales: 2, norm: instance}"]}


def _start(name: str, workspace: Workspace, steps: int) -> subprocess.Popen[str]:
    stage, overrides = TINY[name]
    length = [f"{stage}.steps={steps}", f"{stage}.sample_every={steps}", f"{stage}.save_every=2"]
    changes = [part for override in (*overrides, *length, *EXACT.get(name, [])) for part in ("--set", override)]
    command = [*TORCHRUN, stage, "--workspace", str(workspace.root), "--config", "smoke", *changes]
    surroundings = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _together(name: str, workspace: Workspace, steps: int) -> Path:
    process = _start(name, workspace, steps)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors[-3000:]
    stage = TINY[name][0]
    return workspace.model(stage, tiny(name, steps).segmenter.source if stage == "segmenter" else "all")


@pytest.mark.parametrize(
    "name", ["mask-vae", *(pytest.param(n, marks=pytest.mark.slow) for n in ("translator", "fpn"))]
)
def test_two_processes_train_as_one_does(name: str, workspace: Workspace, tmp_path: Path) -> None:
    if name == "fpn":
        write_shards(workspace)
    folder = _together(name, workspace, STEPS)
    assert json.loads((folder / "config.json").read_text())["processes"] == 2
    kept = folder.rename(tmp_path / "two")
    # Two microbatches: the weighted cross-entropy is a mean over each part's own pixels, as over each process's.
    alone = run(name, workspace, tiny(name, STEPS, f"{TINY[name][0]}.microbatches=2", *EXACT.get(name, [])))
    assert json.loads((alone / "config.json").read_text())["processes"] == 1
    ours, theirs = (load_state(path / "model.safetensors")[0] for path in (kept, alone))
    assert ours.keys() == theirs.keys()
    weights = [key for key in theirs if not key.endswith(RUNNING)]
    apart = torch.cat([(ours[key].float() - theirs[key].float()).abs().reshape(-1) for key in weights])
    # Adam divides a gradient by its own size, so where that is rounding only (a bias before a norm) a weight may go
    # either way, by a learning rate a step at most.
    assert (apart <= 1e-5).float().mean() > 0.98
    assert apart.max() <= 2 * STEPS * 1e-3


@pytest.mark.slow
def test_a_run_whose_process_dies_says_how_to_go_on_and_does_with_another_number(workspace: Workspace) -> None:
    process = _start("mask-vae", workspace, 10**5)
    checkpoint = workspace.model("mask", "all") / "checkpoint.safetensors"
    deadline = time.monotonic() + PATIENCE
    while not checkpoint.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    of_rank_one = [
        child for child in psutil.Process(process.pid).children(recursive=True) if child.environ().get("RANK") == "1"
    ]
    of_rank_one[0].kill()
    _, errors = process.communicate(timeout=PATIENCE)
    # torchrun ends the other one, too: on a busy machine before that one has noticed.
    assert "another of the 2 processes of this training ended" in errors or "augkit: interrupted" in errors, errors
    assert "run the same command again" in errors
    assert "fault of augkit" not in errors
    reached = int(load_state(checkpoint)[0]["step"])
    alone = run("mask-vae", workspace, tiny("mask-vae", reached + 2), resume=True)
    about = json.loads((alone / "config.json").read_text())
    assert about["processes"] == 1 and about["steps"] == reached + 2
    lines = (alone / "metrics.jsonl").read_text().splitlines()
    assert sum(json.loads(line)["step"] <= reached for line in lines) > 0


@pytest.mark.slow
def test_a_checkpoint_of_one_process_goes_on_in_two(workspace: Workspace, tmp_path: Path) -> None:
    whole = run("mask-vae", workspace, tiny("mask-vae", STEPS)).rename(tmp_path / "whole")
    with pytest.raises(KilledError):
        run("mask-vae", workspace, tiny("mask-vae", STEPS), progress=killed_at(2))
    folder = _together("mask-vae", workspace, STEPS)
    assert json.loads((folder / "config.json").read_text())["processes"] == 2
    steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 3]  # the first of each of both
    ours, theirs = (load_state(path / "model.safetensors")[0] for path in (folder, whole))
    apart = torch.cat([(ours[key].float() - theirs[key].float()).abs().reshape(-1) for key in theirs])
    assert (apart <= 2e-3).float().mean() > 0.98  # the last step alone was computed from two halves
