"""Killing anything at any time costs at most the shards in flight; the bytes are those of an undisturbed run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from augkit.balance.job import Balance, BalanceRequest, train_missing
from augkit.core.errors import BusyError
from augkit.core.workspace import Workspace
from augkit.settings import Settings
from tests.balance.conftest import COUNTS, digests, run_job

ONLY = [option for name in COUNTS for option in ("--only", name)]

PATIENCE = 400.0
"""Seconds until a test gives up; far more than any of them needs."""


SLOWLY = (
    "import sys, time\n"
    "from augkit.balance.worker import Worker\n"
    "from augkit.cli._app import run\n"
    "import signal\n"  # a background job of a shell inherits an ignored SIGINT
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "make = Worker.make\n"
    "def slowly(self, row, digest, progress):\n"
    "    report = make(self, row, digest, progress)\n"
    "    time.sleep(1.0 if row.kind == 'generated' else 0.0)\n"
    "    return report\n"
    "Worker.make = slowly\n"
    "sys.exit(run(sys.argv[1:]))\n"
)
"""``augkit`` with pauses between the shards, so that it can be met in between."""


def start(workspace: Workspace, *options: str, executor: str = "local") -> subprocess.Popen[bytes]:
    """``augkit balance`` in a process of its own, slowly."""
    words = ["balance", "-w", str(workspace.root), "--executor", executor, *ONLY, *options]
    command = [sys.executable, "-c", SLOWLY, *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, f"it ended too early: {process.stderr and process.stderr.read().decode()}"
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes], number: signal.Signals) -> tuple[int, str]:
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors.decode()


SIGNALS = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: 130, signal.SIGINT: 130, signal.SIGHUP: 130}
"""And the exit codes that they end with."""


def left_behind(workspace: Workspace) -> list[str]:
    """Temporary files and locks."""
    return [str(path) for path in workspace.root.rglob(".*") if path.suffix in (".tmp", ".lock")]


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(*pair, marks=[pytest.mark.slow] * (place > 1)) for place, pair in enumerate(SIGNALS.items())],
)
def test_an_interrupted_run_goes_on_to_the_same_bytes(
    number: signal.Signals, code: int, trained: Workspace, balanced_workspace: Workspace, settings: Settings
) -> None:
    process = start(trained)
    wait_for((trained.shards / "commits" / "shard-000004.parquet").exists, process)
    with pytest.raises(BusyError, match=rf"shards: process {process.pid} on "):
        run_job(trained, settings)
    returned, errors = end(process, number)
    assert returned == code
    assert code != 130 or ("run the same command again" in errors and not left_behind(trained))
    assert not (trained.shards / "manifest.json").exists()
    assert not (trained.shards / "shard-000005.tar").exists()
    kept = (trained.shards / "shard-000004.tar").stat().st_mtime_ns
    run_job(trained, settings)
    assert digests(trained) == digests(balanced_workspace) and not left_behind(trained)
    assert (trained.shards / "shard-000004.tar").stat().st_mtime_ns == kept  # not made again


@pytest.mark.slow
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_a_run_on_ray_that_is_told_to_end_does(
    send: Callable[[int, int], None], trained: Workspace, balanced_workspace: Workspace, settings: Settings
) -> None:
    process = start(trained, "--target-per-class", "40", executor="ray")
    wait_for((trained.shards / "commits" / "shard-000004.parquet").exists, process)
    workers = psutil.Process(process.pid).children(recursive=True)
    send(process.pid, signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130 and b"run the same command again" in errors, errors.decode()
    assert not left_behind(trained) and not (trained.shards / "manifest.json").exists()
    assert not psutil.wait_procs(workers, timeout=PATIENCE)[1]
    shutil.rmtree(trained.shards)
    run_job(trained, settings)
    assert digests(trained) == digests(balanced_workspace)


@pytest.mark.slow
def test_a_run_killed_in_training_goes_on_to_the_same_bytes(
    trained: Workspace, balanced_workspace: Workspace, settings: Settings, tmp_path: Path
) -> None:
    shutil.rmtree(trained.root / "models")
    process = start(trained)
    checkpoint = trained.model("mask", "all") / "checkpoint.safetensors"
    wait_for(checkpoint.exists, process)
    assert end(process, signal.SIGKILL)[0] == -signal.SIGKILL
    assert not (checkpoint.parent / "config.json").exists()
    train_missing(Balance(trained, settings, BalanceRequest(10)))
    run_job(trained, settings)
    assert digests(trained) == digests(balanced_workspace)
