"""Finding the photos of a data set: by the names in an annotation file, or all below a folder."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from augkit.core.errors import DataError
from augkit.data.importers._file_names import FileNames, readings
from augkit.data.importers._source import contained, files_below, walk

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def photo_names(root: Path) -> list[str]:
    """Paths below a folder of the files whose suffix is a photo's, see ``files_below``."""
    return files_below(root, *PHOTO_SUFFIXES)


class PhotoFolder:
    """The files below a folder, found by path or by name. It remembers which were asked for.

    A photo is at the path that is written for it, or else it is the one file that shares the longest tail with it (see
    ``FileNames``). A file that was meant by a whole path, or may be meant by several, is nobody else's by its tail.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._root = Path(os.path.normpath(root))
        self._answers: dict[tuple[str, ...], _Answer] = {}
        self._askers: dict[str, set[tuple[str, ...]]] = defaultdict(set)

    def ask(self, names: Sequence[str]) -> None:
        """Says which photo will be looked for, so that ``find`` knows of all."""
        self._answer(tuple(filter(None, names)))

    def find(self, names: Sequence[str]) -> Path:
        """The photo meant by the names, in order: a path below the folder, or else a file elsewhere in it.

        Raises DataError where there is none, where several files may be meant or several names may mean it, or where
        it is a link that leads out of the folder.
        """
        key = tuple(filter(None, names))
        answer = self._answer(key)
        others = self._askers[answer.path] - {key} if answer.path else set()
        if answer.path and not answer.whole and others:
            other = " or ".join(sorted(others)[0])
            raise DataError(f"no photo at {' or '.join(key)}; {answer.path} has the name, but is meant by {other}, too")
        if not answer.path:
            raise DataError(answer.problem)
        return contained(self.root, self._root / answer.path)

    def relative(self, path: Path) -> str:
        """A photo's path below the folder, with ``/``."""
        return path.relative_to(self._root).as_posix()

    def unused(self) -> list[str]:
        """Photos nobody asked for, in the folders of those that somebody did (a data set may have other folders)."""
        folders = {str(PurePosixPath(path).parent) for path in self._askers}
        return sorted(
            path
            for path in self._files
            if path not in self._askers
            and str(PurePosixPath(path).parent) in folders
            and path.lower().endswith(PHOTO_SUFFIXES)
        )

    def _answer(self, key: tuple[str, ...]) -> _Answer:
        if key not in self._answers:
            answer = self._whole(key) or self._by_tail(key)
            self._answers[key] = answer
            if answer.path:
                self._askers[answer.path].add(key)
        return self._answers[key]

    def _whole(self, key: Sequence[str]) -> _Answer | None:
        for text in (reading for name in key for reading in readings(name)):
            path = os.path.normpath(self._root / text.lstrip("/"))
            if Path(path).is_relative_to(self._root) and os.path.isfile(path):  # noqa: PTH113 (takes any text)
                return _Answer(self.relative(Path(path)), whole=True)
        return None

    def _by_tail(self, key: Sequence[str]) -> _Answer:
        found, written = self._names.find(key), " or ".join(key) or "(no file name)"
        if len(found) == 1:
            return _Answer(found[0])
        if found:
            some, name = ", ".join(found[:5]), PurePosixPath(found[0]).name
            return _Answer(problem=f"{len(found)} photos have the name {name}: {some}")
        like = next(filter(None, map(self._names.like, key)), "")
        hint = f"; there is {like}" if like else "" if len(self._names) else "; there is no file at all"
        return _Answer(problem=f"no photo at {written}, nor elsewhere below the folder{hint}")

    @cached_property
    def _files(self) -> list[str]:
        return [below + name for below, _, files in walk(self._root) for name in files]

    @cached_property
    def _names(self) -> FileNames:
        return FileNames(self._files)


@dataclass(frozen=True)
class _Answer:
    """A path below the folder, and whether all of it was written so; or why there is none."""

    path: str = ""
    whole: bool = False
    problem: str = ""
