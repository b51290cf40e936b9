"""Two processes that really are two, against one process with the same batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from augkit.core.workspace import Workspace
from augkit.train.checkpoint import load_state

from .runs import TINY, run, tiny

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

# Spectral norm takes a power step at every forward pass, of which two microbatches make twice as many.
EXACT = {"translator": ["image.discriminator={base: 8, layers: 2, scales: 2, norm: instance}"]}


def _together(name: str, workspace: Workspace, steps: int) -> Path:
    stage, overrides = TINY[name]
    length = [f"{stage}.steps={steps}", f"{stage}.sample_every={steps}", f"{stage}.save_every=2"]
    changes = [part for override in (*overrides, *length, *EXACT.get(name, [])) for part in ("--set", override)]
    command = [*TORCHRUN, stage, "--workspace", str(workspace.root), "--config", "smoke", *changes]
    surroundings = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return workspace.model(stage, "all")


@pytest.mark.parametrize("name", ["mask-vae", pytest.param("translator", marks=pytest.mark.slow)])
def test_two_processes_train_as_one_does(name: str, workspace: Workspace, tmp_path: Path) -> None:
    folder = _together(name, workspace, STEPS)
    assert json.loads((folder / "config.json").read_text())["processes"] == 2
    kept = folder.rename(tmp_path / "two")
    # Two microbatches: the weighted cross-entropy is a mean over each part's own pixels, as over each process's.
    alone = run(name, workspace, tiny(name, STEPS, f"{TINY[name][0]}.microbatches=2", *EXACT.get(name, [])))
    assert json.loads((alone / "config.json").read_text())["processes"] == 1
    ours, theirs = (load_state(path / "model.safetensors")[0] for path in (kept, alone))
    assert ours.keys() == theirs.keys()
    apart = torch.cat([(ours[key].float() - theirs[key].float()).abs().reshape(-1) for key in theirs])
    # Adam divides a gradient by its own size, so where that is rounding only (a bias before a norm) a weight may go
    # either way, by a learning rate a step at most.
    assert (apart <= 1e-5).float().mean() > 0.98
    assert apart.max() <= 2 * STEPS * 1e-3
