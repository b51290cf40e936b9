"""Which photos, and which labels of them, a YOLO description names."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from augkit.core.disk_faults import refusal_or
from augkit.core.errors import DataError
from augkit.core.regular_file import ANNOTATIONS, read_plain
from augkit.data.catalogue import SPLITS, Split
from augkit.data.importers._file_names import FileNames, folded
from augkit.data.importers._photos import photo_names
from augkit.data.importers._source import hidden, walk
from augkit.data.importers._yolo_splits import repeated

MASK_SUFFIXES = (".png", ".bmp", ".tif", ".tiff")
_SHOWN = 5


class YoloEntry(NamedTuple):
    """A photo, or a label without one, as a path below the folder.

    ``label`` is the path of its label without the suffix, where that is spelt in another way than the photo's.
    """

    file: str
    split: Split
    problem: str = ""
    label: str = ""


class YoloFiles:
    """Lists what a description names; nothing is opened but lists of photos."""

    def __init__(self, root: Path, file: Path, masks_dir: str) -> None:
        self.root, self.file, self.masks_dir = root, file, masks_dir

    def entries(self, description: Mapping[str, Any]) -> tuple[list[YoloEntry], dict[Split, Split]]:
        """The photos of all splits, then labels without a photo; and the splits that are another one over again."""
        photos: dict[str, list[YoloEntry]] = {}
        folders: dict[str, Split] = {}
        for split in SPLITS:
            places = description.get(split) or []
            for place in places if isinstance(places, list) else [places]:
                for entry in self._of_place(place, split, folders):
                    photos.setdefault(entry.file, []).append(entry)
        stems = Counter(_stem(photo) for photo in photos)
        repeats = repeated({photo: [entry.split for entry in listed] for photo, listed in photos.items()})
        own = {photo: [entry for entry in listed if entry.split not in repeats] for photo, listed in photos.items()}
        judged = [_judged(photo, listed, stems[_stem(photo)]) for photo, listed in own.items()]
        labels, alone = self._labels(folders, stems)
        named = [entry._replace(label=labels.get(_stem(entry.file), "")) for entry in judged]
        return [*named, *alone], repeats

    def _of_place(self, place: object, split: Split, folders: dict[str, Split]) -> Iterator[YoloEntry]:
        path = self._find(str(place), split)
        if path.is_file():
            yield from self._listed(path, split)
            return
        below = path.relative_to(self.root).as_posix()
        folders.setdefault(below, split)
        for name in photo_names(path):
            photo = name if below == "." else f"{below}/{name}"
            folders.setdefault(str(PurePosixPath(photo).parent), split)
            yield YoloEntry(photo, split)

    def _find(self, place: str, split: Split) -> Path:
        """The folder or list that an entry names, by its longest tail where it is a path of another machine.

        Roboflow's exports say ``../train/images`` for ``train/images``.
        """
        text = place.replace("\\", "/")
        words = [word for word in text.split("/") if word not in ("", os.curdir, os.pardir)]
        for name in (text, *("/".join(words[first:]) for first in range(len(words)))):
            path = self._inside(self.root / name)
            if path is not None and path.exists():
                return path
        found = self._folders.find([text])
        if len(found) == 1:
            return self.root / found[0]
        holding = list(dict.fromkeys(str(PurePosixPath(name).parent) for name in self._photos))
        raise DataError(
            f"{self.file}: {split}: {place} is not in {self.root}"
            + (f", where photos are in {', '.join(holding[:_SHOWN])}" if holding else ", where there are no photos"),
            "a folder of photos, or a text file that lists them, below the data set's folder",
            "correct the entry (or `path`), or delete its line",
        )

    def _listed(self, file: Path, split: Split) -> Iterator[YoloEntry]:
        """The photos of a text file: beside it, or below the data set's folder."""
        try:
            lines = read_plain(file, ANNOTATIONS).splitlines()
        except (OSError, ValueError) as error:
            told = refusal_or(error, "a text file that lists photos", "correct it")
            raise DataError(f"{file}: {error}", *told) from error
        for line in filter(None, (line.strip().replace("\\", "/") for line in lines)):
            tried = [self._inside(folder / line) for folder in (file.parent, self.root)]
            photo = next((path for path in tried if path is not None and path.is_file()), None)
            found = [photo.relative_to(self.root).as_posix()] if photo else self._names.find([line])
            if len(found) == 1:
                yield YoloEntry(found[0], split)
            elif found:
                some = ", ".join(found[:_SHOWN])
                yield YoloEntry(line, split, f"{len(found)} photos may be {line} (listed in {file.name}): {some}")
            else:
                yield YoloEntry(line, split, f"no photo at {line} (listed in {file.name}) in the data set's folder")

    def _inside(self, path: Path) -> Path | None:
        plain = Path(os.path.normpath(path))
        root = Path(os.path.normpath(self.root))
        return self.root / plain.relative_to(root) if plain.is_relative_to(root) else None

    def _labels(self, folders: Mapping[str, Split], stems: Mapping[str, int]) -> tuple[dict[str, str], list[YoloEntry]]:
        """Labels (without their suffix) by the stems of photos that spell them in another way; those of no photo."""
        endings = MASK_SUFFIXES if self.masks_dir else (".txt",)
        known = {label_of(f"{stem}.jpg", self.masks_dir): stem for stem in stems}
        others = {
            label: split
            for folder, split in folders.items()
            for label in self._label_files(folder, endings)
            if _stem(label) not in known
        }
        lacking: dict[str, list[str]] = defaultdict(list)
        for label in known if others else ():
            if not any((self.root / (label + ending)).is_file() for ending in endings):
                lacking[folded(label)].append(known[label])
        spelt = Counter(folded(_stem(label)) for label in others)
        labels, alone = {}, []
        for label, split in others.items():
            photos = lacking.get(folded(_stem(label)), [])
            if len(photos) == 1 and spelt[folded(_stem(label))] == 1:
                labels[photos[0]] = _stem(label)
            else:
                alone.append(YoloEntry(label, split, "no photo belongs to the label"))
        return labels, alone

    def _label_files(self, folder: str, endings: tuple[str, ...]) -> Iterator[str]:
        """Label files in the folder that belongs to a folder of photos; none where the labels lie beside them: any
        text there is not a label for sure."""
        labels = label_of(f"{folder}/x", self.masks_dir).rpartition("/")[0]
        if labels == folder:
            return
        if not (self.root / labels).is_dir():
            labels = next((name for name in self._folders.find([labels]) if folded(name) == folded(labels)), labels)
        place = self.root / labels
        for name in sorted(path.name for path in place.iterdir()) if place.is_dir() else ():
            if name.lower().endswith(endings) and not hidden(name) and name != "classes.txt":
                yield f"{labels}/{name}"

    @cached_property
    def _folders(self) -> FileNames:
        return FileNames(below + name for below, folders, _ in walk(self.root) for name in folders)

    @cached_property
    def _photos(self) -> list[str]:
        return photo_names(self.root)

    @cached_property
    def _names(self) -> FileNames:
        return FileNames(self._photos)


def _judged(photo: str, listed: Sequence[YoloEntry], same_stem: int) -> YoloEntry:
    """A photo's one entry, with what is wrong about how it is listed."""
    splits = list(dict.fromkeys(entry.split for entry in listed))
    if listed[0].problem or (len(splits) == 1 and same_stem == 1):
        return listed[0]
    if len(splits) > 1:
        return YoloEntry(photo, splits[0], f"the photo is listed in {' and in '.join(splits)}")
    return YoloEntry(photo, splits[0], f"{same_stem} photos have the stem {_stem(photo)}")


def label_of(photo: str, masks_dir: str = "") -> str:
    """The path of a photo's label without its suffix: ``images/train/a.jpg`` -> ``labels/train/a``."""
    folders = _stem(photo).split("/")
    places = [place for place, folder in enumerate(folders[:-1]) if folder == "images"]
    if places:
        folders[places[-1]] = masks_dir or "labels"
    return "/".join(folders)


def _stem(path: str) -> str:
    return path.rpartition(".")[0] or path
