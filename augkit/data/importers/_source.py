"""The folder that an importer is given: its kind, and the files below it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from augkit.core.errors import ConfigError, DataError

_OF_SYSTEMS = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"})


def require_folder(source: Path, layout: str) -> None:
    """Raises ConfigError where ``source`` is no folder; ``layout`` says in a line what it should hold."""
    if not source.is_dir():
        found = "no folder, but a file" if source.exists() else "nothing is there"
        raise ConfigError(f"{source}: {found}", layout, "check the path")


def refuse_annotations(annotations: Path | None, reason: str) -> None:
    """Raises ConfigError where ``--annotations`` is given to an importer that has no use for it."""
    if annotations is not None:
        raise ConfigError(f"--annotations {annotations}", f"no such option here: {reason}", "leave it away")


def contained(root: Path, path: Path) -> Path:
    """The path itself, where it leads to something below ``root``, through links or not.

    Raises DataError where a symbolic link on the way leads out of the data set's folder (whoever packed the data set
    could name any file of this machine), or links go round in a circle. ``root`` itself may be a link.
    """
    try:
        target = _target(os.fspath(path))
    except OSError as error:
        raise DataError(f"{path.name} is a link that leads nowhere: {error}") from error
    folder = _real_folder(os.fspath(root))
    if target != folder and not target.startswith(folder.rstrip(os.sep) + os.sep):
        raise DataError(f"{path.name} is a link to {target}, outside the data set's folder")
    return path


def _target(path: str) -> str:
    """Where a path leads to. Folders are looked up once: a data set has many photos in few of them."""
    folder, name = os.path.split(path)
    try:
        if name in ("", os.curdir, os.pardir) or stat.S_ISLNK(os.lstat(path).st_mode):
            return os.path.realpath(path, strict=True)
    except FileNotFoundError:
        return os.path.realpath(path)
    return os.path.join(_real_folder(folder), name)  # noqa: PTH118 (quick, for many)


@lru_cache(maxsize=1024)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def hidden(name: str) -> bool:
    """Whether a file, or a folder that it is in, is a system's own: a dot first (``._a.jpg``), ``__MACOSX``, ..."""
    return any(part.startswith(".") or part in _OF_SYSTEMS for part in name.split("/"))


def walk(root: str | os.PathLike[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """``os.walk`` without what is hidden: the path below ``root`` ("" or with a ``/`` at its end), folders, files."""
    top = os.fspath(root)
    for folder, folders, files in os.walk(top):
        below = "" if folder == top else f"{os.path.relpath(folder, top)}/".replace(os.sep, "/")
        folders[:] = [name for name in folders if not hidden(name)]
        yield below, folders, [name for name in files if not hidden(name)]


def files_below(root: Path, *endings: str) -> list[str]:
    """Paths below a folder, with ``/``, of the files whose name ends in one of the (lower case) endings; in order.

    Hidden ones are left out. Links to folders are not followed; DataError where one leads out of ``root``. Links to
    files are listed: whether they may be read is for ``contained`` to say, a sample at a time.
    """
    found = []
    for below, folders, names in walk(root):
        for name in folders:
            if (root / below / name).is_symlink():
                contained(root, root / below / name)
        found += [below + name for name in names if name.lower().endswith(endings)]
    return sorted(found)
