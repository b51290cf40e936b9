from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from augkit.core.workspace import Workspace
from augkit.train import hooks

from .runs import write_shards


@pytest.fixture(scope="session")
def sharded_workspace(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The rendered workspace with its real pairs as shards; shared, so tests link to it (see ``workspace``)."""
    copy = Workspace(shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("sharded") / "workspace"))
    write_shards(copy)
    return copy


@pytest.fixture
def workspace(sharded_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A workspace to train in: its data are links to the shared ones, its models are its own."""
    root = tmp_path / "workspace"
    root.mkdir()
    for path in sharded_workspace.root.iterdir():
        (root / path.name).symlink_to(path)
    return Workspace(root)


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Metrics of every step, not every tenth."""
    monkeypatch.setattr(hooks, "METRICS_EVERY", 1)
    yield
