"""Workspaces with trained models: trained once, then copied."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from augkit.balance.job import Balance, BalanceRequest, RunOutcome, train_missing
from augkit.core.classes import CarClass
from augkit.core.workspace import Workspace
from augkit.settings import Settings, load_settings, save_settings
from tests.importing import import_samples

COUNTS = {"front-left-5": 9, "back-right-3": 7}
"""Real pairs: 7 and 6 of them for training."""

CHANGES = (
    "data.size=64", "balance.shard_size=4", "balance.target_per_class=10", "balance.retries=1",
    "balance.precision=fp32",
)  # fmt: skip
"""The arithmetic is said, since ``auto`` is whatever the processor of the day multiplies faster."""


def digests(workspace: Workspace) -> dict[str, str]:
    """sha256 of every file of the shards, by name."""
    files = sorted(path for path in workspace.shards.rglob("*") if path.is_file())
    return {str(f.relative_to(workspace.shards)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def job_of(workspace: Workspace, settings: Settings, target: int = 10, **request: object) -> Balance:
    """The job for the classes with real pairs (``only``), and not for their mirror classes: it takes less time."""
    only = tuple(CarClass.parse(name) for name in request.pop("only", COUNTS))  # type: ignore[attr-defined]
    return Balance(workspace, settings, BalanceRequest(target, only, **request))  # type: ignore[arg-type]


def run_job(workspace: Workspace, settings: Settings, target: int = 10, **request: object) -> RunOutcome:
    """Balances with the local executor."""
    job = job_of(workspace, settings, target, **request)
    assert not job.untrained()
    return job.generate()


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The smoke preset with small shards."""
    return load_settings("smoke", list(CHANGES))


@pytest.fixture(scope="session")
def trained_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Sixteen cars of two classes, and both stages trained on them. Shared: take ``trained`` to write."""
    return train_once(tmp_path_factory.getbasetemp())


@cache
def train_once(folder: Path) -> Workspace:
    """Cached, since every folder of tests that imports the fixture has one of its own."""
    settings = load_settings("smoke", list(CHANGES))
    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import rendered_samples

    workspace = Workspace(folder / "trained-once")
    samples = rendered_samples({CarClass.parse(name): n for name, n in COUNTS.items()}, 64, settings.seed)
    import_samples(samples, render_schema(), workspace, settings, settings.seed)
    train_missing(Balance(workspace, settings, BalanceRequest(10)))
    save_settings(settings, workspace.settings)
    return workspace


@pytest.fixture
def trained(trained_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy to write into."""
    return Workspace(shutil.copytree(trained_workspace.root, tmp_path / "trained"))


@pytest.fixture(scope="session")
def balanced_workspace(trained_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A copy that was balanced without a disturbance. Shared: take ``balanced`` to write."""
    root = shutil.copytree(trained_workspace.root, tmp_path_factory.mktemp("balanced") / "workspace")
    workspace = Workspace(root)
    run_job(workspace, load_settings(workspace.settings))
    return workspace


@pytest.fixture
def balanced(balanced_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy to write into."""
    return Workspace(shutil.copytree(balanced_workspace.root, tmp_path / "balanced"))


@pytest.fixture
def augkit(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line in this process: exit code, stdout, stderr."""
    from augkit.cli._app import run

    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return command
