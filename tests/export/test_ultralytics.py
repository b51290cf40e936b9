"""Ultralytics trains on exports, as a command of its own: it is never imported. See .ci/ultralytics."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from augkit import api
from augkit.core.workspace import Workspace

YOLO = os.environ.get("AUGKIT_YOLO") or shutil.which("yolo")


@pytest.mark.slow
@pytest.mark.skipif(YOLO is None, reason="no command `yolo`, and AUGKIT_YOLO names none")
@pytest.mark.parametrize(
    ("format", "run"),
    [
        ("semantic", ("semantic", "train", "model=yolo26n-sem.yaml")),
        ("yolo", ("segment", "train", "model=yolo11n-seg.yaml")),
    ],
)
def test_it_trains_an_epoch(sharded: Workspace, out: Path, format: str, run: tuple[str, ...]) -> None:
    api.export(sharded, format, out)
    runs = out.parent / "runs"
    options = ["epochs=1", "imgsz=64", "batch=4", "workers=0", "device=cpu", "plots=False", "amp=False"]
    command = [str(YOLO), *run, f"data={out / 'data.yaml'}", *options, f"project={runs}"]
    environment = os.environ | {"YOLO_CONFIG_DIR": str(out.parent), "YOLO_OFFLINE": "true"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=out.parent, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert next(runs.rglob("last.pt")).stat().st_size > 0
    assert "corrupt" not in done.stdout.replace("0 corrupt", "")
