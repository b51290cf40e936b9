"""Finding the photos that an annotation file names."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from augkit.errors import DataError

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class PhotoFolder:
    """The files below a folder, found by path or by name. It remembers which were asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._used: set[str] = set()

    def find(self, names: Sequence[str]) -> Path:
        """The photo meant by the names, in order: a path below the folder, or else a file name anywhere in it.

        Raises DataError where there is none, or where several files have the name.
        """
        wanted = [_posix(name) for name in names if name]
        for name in wanted:
            path = Path(os.path.normpath(self.root / name))
            if path.is_relative_to(os.path.normpath(self.root)) and path.is_file():
                return self._use(path)
        found = sorted({path for name in wanted for path in self._by_name.get(PurePosixPath(name).name, ())})
        if len(found) > 1:
            some = ", ".join(self.relative(path) for path in found[:5])
            raise DataError(f"{len(found)} photos have the name {found[0].name}: {some}")
        if not found:
            raise DataError(f"no photo at {' or '.join(wanted) or '(no file name)'}, nor elsewhere below the folder")
        return self._use(found[0])

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
