"""Fixtures of other folders that serve here too, and a workspace whose test split nobody may read."""

from dataclasses import replace

import pytest

from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, write_catalogue
from tests.balance.conftest import augkit, balanced, balanced_workspace, settings, trained, trained_workspace
from tests.gate.conftest import fitted, gate, gate_settings, references
from tests.stages.conftest import every_step, sharded_workspace, workspace

__all__ = [
    "augkit", "balanced", "balanced_workspace", "every_step", "fitted", "gate", "gate_settings", "references",
    "settings", "sharded_workspace", "trained", "trained_workspace", "workspace",
]  # fmt: skip


@pytest.fixture
def without_test_files(copied_workspace: Workspace) -> Workspace:
    """Three held-out pairs are of the split test, and their files are gone: what reads them fails."""
    rows = read_catalogue(copied_workspace.catalogue)
    chosen = {row.id for row in [row for row in rows if row.split == "val"][:3]}
    write_catalogue(
        copied_workspace.catalogue, [replace(row, split="test") if row.id in chosen else row for row in rows]
    )
    for id in chosen:
        copied_workspace.photo(id).unlink()
        copied_workspace.mask(id).unlink()
    return copied_workspace
