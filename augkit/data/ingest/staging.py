"""Replacing a workspace's data as a whole: built beside it, put in place at the end, undone where that is cut short."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from augkit.core.atomic_file import move, write_text
from augkit.core.errors import AugkitError
from augkit.core.lock import held
from augkit.core.workspace import Workspace

STAGING = ".import"
FINGERPRINT = "fingerprint.json"
_REPLACED = "replaced"


@contextmanager
def staged(workspace: Workspace, fingerprint: str, keep: bool = False) -> Iterator[Workspace]:
    """A workspace inside the workspace; at the end of the block its data replaces the outer one's.

    What an earlier block left there is still in it where that had the same ``fingerprint`` and was interrupted (a
    killed process, Ctrl-C, a full disk); else there is only an empty folder for pairs. The block has to write the
    pairs, the schema, the settings and the catalogue; whatever else it writes is removed. An exception in the block
    or while replacing leaves the outer data as it was; AugkitError, which would come again, removes the inner one
    too, unless asked to ``keep`` it. A process killed while replacing leaves both states on disk; the next call goes
    back to the old one, or finishes where the new catalogue, which comes last, was in place already.

    Raises BusyError where another process imports into the workspace.
    """
    existed = workspace.root.is_dir()
    folder = workspace.root / STAGING
    try:
        with locked(workspace):
            try:
                recover(workspace)
                prepare(folder, fingerprint)
                yield Workspace(folder)
                _replace(workspace)
                shutil.rmtree(folder)
            except AugkitError:
                recover(workspace)
                if not keep:
                    shutil.rmtree(folder)
                raise
            finally:
                recover(workspace)
    finally:
        if not existed:
            with suppress(OSError):  # not empty
                workspace.root.rmdir()


def locked(workspace: Workspace) -> AbstractContextManager[None]:
    """Keeps other processes from importing into a workspace; one that is killed lets go of it. Raises BusyError."""
    return held(workspace.root / STAGING, around=(workspace.root,))


def prepare(folder: Path, fingerprint: str) -> None:
    """Keeps the folder of an interrupted block with the same fingerprint, and begins anew otherwise."""
    mark = folder / FINGERPRINT
    if folder.is_dir() and not (mark.is_file() and mark.read_text() == fingerprint):
        shutil.rmtree(folder)
    Workspace(folder).pairs.mkdir(parents=True, exist_ok=True)
    write_text(mark, fingerprint)


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
            move(root / name, old / name)
    for name in reversed(_names(workspace)):
        move(new / name, root / name)


def recover(workspace: Workspace) -> None:
    """Takes back what was replaced, unless everything was: then the staging folder is of no more use."""
    root, new = workspace.root, workspace.root / STAGING
    old = new / _REPLACED
    if not old.is_dir():
        return
    if not (new / workspace.catalogue.name).exists():
        shutil.rmtree(new)
        return
    for name in _names(workspace):
        _take_back(root / name, new / name, old / name)
    old.rmdir()


def _take_back(place: Path, new: Path, old: Path) -> None:
    """Moves one new file out of its place and the old one in; does nothing where that was done before."""
    if place.exists() and not new.exists():
        move(place, new)
    if old.exists():
        move(old, place)
