"""Replacing a workspace's data as a whole: built beside it, put in place at the end, undone where that is cut short."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from augkit.workspace import Workspace

STAGING = ".import"
_REPLACED = "replaced"


@contextmanager
def staged(workspace: Workspace) -> Iterator[Workspace]:
    """An empty workspace inside the workspace; at the end of the block its data replaces the outer one's.

    The block has to write the pairs, the schema, the settings and the catalogue. An exception in the block or while
    replacing leaves everything as it was. A process killed while replacing leaves both states on disk; the next call
    goes back to the old one, or finishes where the new catalogue, which comes last, was in place already.
    """
    existed = workspace.root.is_dir()
    folder = workspace.root / STAGING
    if folder.is_dir():
        _recover(workspace)
    folder.mkdir(parents=True)
    try:
        yield Workspace(folder)
        _replace(workspace)
    finally:
        _recover(workspace)
        if not existed and not any(workspace.root.iterdir()):
            workspace.root.rmdir()


def _names(workspace: Workspace) -> list[str]:
    """What is replaced; the catalogue leaves first and comes last, so that there is never one without its pairs."""
    paths = (workspace.catalogue, workspace.settings, workspace.schema, workspace.pairs)
    return [path.name for path in paths]


def _replace(workspace: Workspace) -> None:
    root, new = workspace.root, workspace.root / STAGING
    old = new / _REPLACED
    old.mkdir()
    for name in _names(workspace):
        if (root / name).exists():
            (root / name).replace(old / name)
    for name in reversed(_names(workspace)):
        (new / name).replace(root / name)


def _recover(workspace: Workspace) -> None:
    """Removes the staging folder; first takes back what it replaced, unless everything was replaced."""
    root, new = workspace.root, workspace.root / STAGING
    old = new / _REPLACED
    if old.is_dir() and (new / workspace.catalogue.name).exists():
        for name in _names(workspace):
            _take_back(root / name, new / name, old / name)
    shutil.rmtree(new)


def _take_back(place: Path, new: Path, old: Path) -> None:
    """Moves one new file out of its place and the old one in; does nothing where that was done before."""
    if place.exists() and not new.exists():
        place.replace(new)
    if old.exists():
        old.replace(place)
