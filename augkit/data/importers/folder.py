"""Photos and masks as two picture files of one stem, in whatever folders people keep them."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from augkit.core.errors import DataError
from augkit.data.catalogue import Split
from augkit.data.importers import IMPORTERS
from augkit.data.importers._file_names import folded
from augkit.data.importers._part_table import FORMATS, PartTable
from augkit.data.importers._parts_file import find_parts_file, read_part_table
from augkit.data.importers._photos import photo_names
from augkit.data.importers._pictures import MaskFile, photo_bytes
from augkit.data.importers._source import require_folder
from augkit.data.samples import LazySamples, Sample, SampleSet

PHOTO_FOLDERS = (frozenset({"images", "photos"}), frozenset({"jpegimages"}))
MASK_FOLDERS = (frozenset({"masks", "labels"}), frozenset({"segmentationclass"}), frozenset({"annotations"}))
"""In lower case. Of each, the first of these that a data set has; ``annotations`` may hold anything where there is no
folder of photos."""

MASK_SUFFIXES = (".mask", "_mask")
SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
_DESCRIPTIONS = ("annotations.json", "_annotations.coco.json", "instances.json")  # of COCO data sets
_LAYOUT = "a folder with images/ and masks/, or with photos and masks as a.jpg and a.mask.png (or a_mask.png)"

Found = dict[str, list[str]]


@IMPORTERS.register("folder")
def read_folder(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads a folder of photos and mask pictures.

        SRC/
          parts.csv               id,name,red,green,blue (or parts.json, parts.txt, palette.csv, id2label.json)
          images/                 or photos/, JPEGImages/
            a.jpg
            train/b.jpg           folders below may be splits: train, val, test
          masks/                  or labels/, SegmentationClass/, annotations/
            a.png
            train/b.png

    or, in one folder or several, ``a.jpg`` with ``a.mask.png`` or ``a_mask.png``. ``train/images/`` with
    ``train/masks/`` is the same as ``images/train/`` with ``masks/train/``. A photo and a mask belong together where
    their paths are the same but for ``images``, ``masks`` and the suffix; what is alone, and photos or masks that
    share a path, are problems of their samples. Files and folders whose names begin with a dot are left out, and so
    is what lies outside ``images/`` and ``masks/`` where both are there. A first folder named after a split fixes the
    split; the folders below it are the sample's subset.

    What a mask's values or colours mean is said by the parts file, which ``annotations`` names where it is elsewhere
    (see ``read_part_table`` for its forms, ``PartTable`` for gaps in the ids, ``MaskFile`` for the kinds of masks).
    There is no default for it: which side is left decides about a car's class, and no number says so.

    Raises ConfigError where the folder or the parts file is not there, DataError for a folder without photos or masks
    and for a parts file that is none, SchemaError for parts that make no schema.
    """
    require_folder(source, _LAYOUT)
    names = photo_names(source)
    photos, masks = _sorted_out(names)
    if not photos or not masks:
        raise DataError(
            f"{source}: {len(names)} pictures below it, among them {_count(photos)} photos and {_count(masks)} masks",
            _LAYOUT,
            _remedy(source, names),
        )
    table = read_part_table(find_parts_file(source, annotations))
    entries = list(_entries(photos, masks))
    files = [entry.photo or entry.mask for entry in entries]
    return SampleSet(table.schema, LazySamples(files, partial(_sample, source, table, entries)))


class _PhotoEntry(NamedTuple):
    """A photo and its mask as paths below the folder, empty where there is none, and what they have in common."""

    photo: str
    mask: str
    folder: str
    problem: str = ""


Kind = Literal["photo", "mask", ""]
Marks = Mapping[str, Kind]


def _sorted_out(names: Sequence[str]) -> tuple[Found, Found]:
    """Photos and masks by key: what the paths of a photo and of its mask have in common."""
    marks = _marks({folder for name in names for folder in name.lower().split("/")[:-1]})
    kinds = {_marked(name, marks)[1] for name in names}
    place = _by_folder if "mask" in kinds else _by_suffix
    rest: Kind = "photo" if "photo" not in kinds else ""  # masks/ alone: the photos are all that is elsewhere
    found: dict[Kind, Found] = {"photo": defaultdict(list), "mask": defaultdict(list), "": defaultdict(list)}
    for name in names:
        key, kind = place(name, marks)
        found[kind or rest][key].append(name)
    return found["photo"], _respelt(_renamed(found["mask"], found["photo"]), found["photo"])


def _marks(folders: Collection[str]) -> Marks:
    """The folders whose names say what is in them, and what they say."""
    photos = next((known for known in PHOTO_FOLDERS if not known.isdisjoint(folders)), frozenset[str]())
    choices = MASK_FOLDERS if photos else MASK_FOLDERS[:1]
    masks = next((known for known in choices if not known.isdisjoint(folders)), frozenset[str]())
    found: dict[str, Kind] = dict.fromkeys(photos, "photo")
    return found | dict.fromkeys(masks, "mask")


def _marked(name: str, marks: Marks) -> tuple[int, Kind]:
    """The place of the first folder in a path that says what is in it, and what it says."""
    folders = name.lower().split("/")[:-1]
    return next(((place, marks[folder]) for place, folder in enumerate(folders) if folder in marks), (0, ""))


def _by_folder(name: str, marks: Marks) -> tuple[str, Kind]:
    place, kind = _marked(name, marks)
    if not kind:
        return _key(name), kind
    words = name.split("/")
    return _key("/".join(words[:place] + words[place + 1 :])), kind


def _by_suffix(name: str, marks: Marks) -> tuple[str, Kind]:
    key, _ = _by_folder(name, marks)
    bare = _without_mask_suffix(key)
    return bare, "photo" if bare == key else "mask"


def _renamed(masks: Found, photos: Found) -> Found:
    """Masks in a folder of their own may be called ``a_mask.png`` all the same; the whole stem comes first."""
    renamed: Found = defaultdict(list)
    for key, names in masks.items():
        bare = _without_mask_suffix(key)
        renamed[bare if key not in photos and bare in photos else key] += names
    return renamed


def _respelt(masks: Found, photos: Found) -> Found:
    """Masks under the keys of photos that differ in spelling alone (see ``folded``), where that leaves no doubt."""
    alone = [key for key in masks if key not in photos]
    lacking: dict[str, list[str]] = defaultdict(list)
    for key in photos if alone else ():
        if key not in masks:
            lacking[folded(key)].append(key)
    spellings = [(key, spelt) for key in alone for spelt in {folded(key), folded(_without_mask_suffix(key))}]
    claims = Counter(spelt for _, spelt in spellings)
    for key, spelt in spellings:
        meant = lacking.get(spelt, [])
        if len(meant) == claims[spelt] == 1 and key in masks:
            masks[meant[0]] = masks.pop(key)
    return masks


def _key(name: str) -> str:
    """The path without its suffix, in one of the two forms that Unicode has for accents (file systems differ)."""
    return unicodedata.normalize("NFC", name.rpartition(".")[0])


def _without_mask_suffix(key: str) -> str:
    folder, slash, stem = key.rpartition("/")
    bare = next((stem.removesuffix(ending) for ending in MASK_SUFFIXES if stem.endswith(ending)), stem)
    return f"{folder}{slash}{bare or stem}"


def _entries(photos: Found, masks: Found) -> Iterator[_PhotoEntry]:
    """One for every photo, and one for every mask without a photo."""
    for key in sorted(photos.keys() | masks.keys()):
        mine, its = photos.get(key, []), masks.get(key, [])
        folder, problem = sys.intern(key.rpartition("/")[0]), ""
        if len(mine) > 1:
            problem = f"{len(mine)} photos have the stem {key}: {', '.join(mine)}"
        elif not its:
            problem = f"no mask has the photo's stem, {key}"
        elif not mine:
            problem = f"no photo has the mask's stem, {key}"
        elif len(its) > 1:
            problem = f"{len(its)} masks have the stem {key}: {', '.join(its)}"
        if mine:
            yield from (_PhotoEntry(photo, its[0] if its else "", folder, problem) for photo in mine)
        else:
            yield from (_PhotoEntry("", mask, folder, problem) for mask in its)


def _sample(root: Path, table: PartTable, entries: Sequence[_PhotoEntry], place: int, id: str) -> Sample:
    entry = entries[place]
    first, _, below = entry.folder.partition("/")
    split = SPLIT_FOLDERS.get(first.lower())
    subset = below if split else entry.folder
    if entry.problem:
        return Sample(id, entry.photo or entry.mask, problem=entry.problem, split=split, subset=subset)
    photo, mask = partial(photo_bytes, root, root / entry.photo), MaskFile(root, root / entry.mask, table)
    return Sample(id, entry.photo, photo, mask, split=split, subset=subset)


def _count(found: Found) -> int:
    return sum(map(len, found.values()))


def _remedy(source: Path, names: Sequence[str]) -> str:
    if names and next(source.glob("labels/**/*.txt"), None) is not None:
        return "labels/ holds text files: import it with yolo"
    described = next((file for file in _DESCRIPTIONS if (source / file).is_file()), "")
    if names and described:
        return f"{described} may describe the labels of all photos: import it with coco"
    return f"put masks beside the photos, and {FORMATS}"
