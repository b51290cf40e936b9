"""Which JSON files a COCO data set consists of, and where the photos of each are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from augkit.core.errors import ConfigError
from augkit.data.catalogue import Split
from augkit.data.importers._source import hidden
from augkit.data.samples import Sample

_SPLITS: dict[str, Split] = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip
_OTHER_TASKS = ("captions_", "person_keypoints_", "panoptic_", "stuff_", "image_info_")  # of COCO itself


@dataclass(frozen=True)
class Place:
    """An annotation file, the folder below which its photos are, and what their names say of the samples.

    ``prefix`` is the folder's path below the data set's.
    """

    file: Path
    photos: Path
    prefix: str = ""
    split: Split | None = None
    subset: str = ""

    def sample(self, name: str, **more: Any) -> Sample:
        """A sample of this place whose photo has this path below ``photos``; no id yet."""
        return replace(Sample("", self.prefix + name, split=self.split, subset=self.subset), **more)


def locate(source: Path, annotations: Path | None) -> list[Place]:
    """The files of a data set, in the order of their names. Raises ConfigError where that is not clear."""
    if not source.exists():
        raise ConfigError(f"{source}: nothing is there", "a folder with annotations.json and photos", "check the path")
    if annotations is not None:
        if not annotations.is_file():
            raise ConfigError(f"--annotations {annotations}: no such file", "the data set's JSON file", "check it")
        return [Place(annotations, source if source.is_dir() else source.parent)]
    if source.is_file():
        return [Place(source, source.parent.parent if source.parent.name == "annotations" else source.parent)]
    if (source / "annotations.json").is_file():
        return [Place(source / "annotations.json", source)]
    found = sorted([*source.glob("*.json"), *source.glob("annotations/*.json")])
    found = [file for file in found if not hidden(file.name) and not file.name.startswith(_OTHER_TASKS)]
    if len(found) == 1:
        return [Place(found[0], source)]
    places = [_by_name(source, file) for file in found] or _by_folder(source)
    if not places or any(place.split is None for place in places):
        names = ", ".join(path.relative_to(source).as_posix() for path in found[:10]) or "none"
        raise ConfigError(
            f"{source}: JSON files: {names}",
            "annotations.json, or one JSON file, or files whose names or folders say train, val or test",
            "name it with --annotations FILE",
        )
    return places


def _by_name(source: Path, file: Path) -> Place:
    """The place of ``instances_train2017.json``: the folder ``train2017``, ``train``, or all."""
    for word in re.findall(r"[A-Za-z]+\d*", file.stem)[::-1]:
        plain = word.rstrip("0123456789")
        split = _SPLITS.get(plain.lower())
        if split is not None:
            folders = (Path(*parts) for parts in ((word,), ("images", word), (plain,), ("images", plain)))
            below = next((folder for folder in folders if (source / folder).is_dir()), Path())
            prefix = "" if below == Path() else f"{below.as_posix()}/"
            return Place(file, source / below, prefix, split, below.name or file.stem)
    return Place(file, source)


def _by_folder(source: Path) -> list[Place]:
    """The places of folders named for a split that hold one JSON file each."""
    folders = [path for path in sorted(source.iterdir()) if path.is_dir() and path.name.lower() in _SPLITS]
    files = [(path, sorted(file for file in path.glob("*.json") if not hidden(file.name))) for path in folders]
    return [
        Place(jsons[0], folder, f"{folder.name}/", _SPLITS[folder.name.lower()], folder.name)
        for folder, jsons in files
        if len(jsons) == 1
    ]
