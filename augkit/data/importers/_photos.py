"""Finding the photos of a data set: by the names in an annotation file, or all below a folder."""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

from augkit.core.errors import DataError

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


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


def list_photos(root: Path) -> list[Path]:
    """All files below a folder whose suffix is a photo's, in the order of their paths below it.

    A link to a file is listed: whether it may be read is for ``contained`` to say, a sample at a time. A link to a
    folder below ``root`` is not followed, since what it leads to is listed where it is. Raises DataError for a link to
    a folder elsewhere, as nothing below it could be listed.
    """
    return [root / name for name in photo_names(root)]


def photo_names(root: Path) -> list[str]:
    """``list_photos`` as paths below ``root``, with ``/``: a third of the memory, for large data sets."""
    names: list[str] = []
    for folder, folders, files in os.walk(root):
        for name in folders:
            if os.path.islink(os.path.join(folder, name)):  # noqa: PTH114, PTH118 (quick, for many)
                contained(root, Path(folder, name))
        below = "" if folder == os.fspath(root) else f"{os.path.relpath(folder, root)}/".replace(os.sep, "/")
        names += [below + name for name in files if os.path.splitext(name)[1].lower() in PHOTO_SUFFIXES]  # noqa: PTH122
    return sorted(names)


class PhotoFolder:
    """The files below a folder, found by path or by name. It remembers which were asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._used: set[str] = set()

    def find(self, names: Sequence[str]) -> Path:
        """The photo meant by the names, in order: a path below the folder, or else a file name anywhere in it.

        Raises DataError where there is none, where several files have the name, or where it is a link that leads out
        of the folder.
        """
        wanted = [_posix(name) for name in names if name]
        for name in wanted:
            path = Path(os.path.normpath(self.root / name))
            if path.is_relative_to(os.path.normpath(self.root)) and path.is_file():
                return contained(self.root, self._use(path))
        found = sorted({path for name in wanted for path in self._by_name.get(PurePosixPath(name).name, ())})
        if len(found) > 1:
            some = ", ".join(self.relative(path) for path in found[:5])
            raise DataError(f"{len(found)} photos have the name {found[0].name}: {some}")
        if not found:
            raise DataError(f"no photo at {' or '.join(wanted) or '(no file name)'}, nor elsewhere below the folder")
        return contained(self.root, self._use(found[0]))

    def relative(self, path: Path) -> str:
        """A photo's path below the folder, with ``/``."""
        return path.relative_to(os.path.normpath(self.root)).as_posix()

    def unused(self) -> list[str]:
        """Photos nobody asked for, in the folders of those that somebody did (a data set may have other folders)."""
        folders = {str(PurePosixPath(path).parent) for path in self._used}
        photos = (self.relative(path) for paths in self._by_name.values() for path in paths)
        return sorted(
            path
            for path in photos
            if path not in self._used
            and str(PurePosixPath(path).parent) in folders
            and PurePosixPath(path).suffix.lower() in PHOTO_SUFFIXES
        )

    def _use(self, path: Path) -> Path:
        self._used.add(self.relative(path))
        return path

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        paths: dict[str, list[Path]] = defaultdict(list)
        for folder, _, files in os.walk(os.path.normpath(self.root)):
            for name in files:
                paths[name].append(Path(folder, name))
        return paths


def _posix(name: str) -> str:
    """A path as some other machine wrote it: Windows separators, a leading ``/``."""
    return name.replace("\\", "/").lstrip("/")
