"""Cityscapes, fine annotations: every car of every street scene is a sample of its own."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.data.catalogue import SPLITS, Split
from augkit.data.importers import IMPORTERS
from augkit.data.importers._photos import photo_names
from augkit.data.importers._scenes import Car, Scene
from augkit.data.importers._source import files_below, refuse_annotations, require_folder
from augkit.data.samples import LazySamples, Sample, SampleSet

_LAYOUT = "a folder with leftImg8bit/{train,val,test}/CITY/ and gtFine/{train,val,test}/CITY/"
_PHOTO, _IDS, _POLYGONS = "_leftImg8bit", "_gtFine_instanceIds.png", "_gtFine_polygons.json"


@IMPORTERS.register("cityscapes")
def read_cityscapes(source: Path, annotations: Path | None = None) -> SampleSet:
    """Reads the cars of a Cityscapes folder, one sample each, into a schema of the one part ``car``.

    Photos are ``leftImg8bit/SPLIT/CITY/ID_leftImg8bit.png``; a scene's annotation is
    ``gtFine/SPLIT/CITY/ID_gtFine_polygons.json``, or ``..._instanceIds.png``, or both: then the file with the
    polygons counts the cars and the image shows them. A sample's photo and mask are what lies around one car, as much
    as any canonical cut needs; its ``source_file`` is the photo's with ``#car-N``, where the car has the value
    26000 + N. Other cars, and groups of cars, are background. Split and subset are the folders SPLIT and CITY.
    A car below ``SMALLEST_SIDE`` pixels is a problem of its sample. Scenes without cars (as all of ``test``, whose
    annotations are blank) make no samples.

    This counts the cars of all scenes first: fast with polygons; with images alone, each of them is decoded.
    Raises ConfigError where the folder holds no scenes.
    """
    require_folder(source, _LAYOUT)
    refuse_annotations(annotations, "annotations are below gtFine")
    for folder in ("leftImg8bit", "gtFine"):
        require_folder(source / folder, _LAYOUT)
    table = _CarTable()
    for name, scene in _scenes(source):
        table.add(name, scene)
    if not table.scenes:
        raise ConfigError(f"{source}: no scenes", _LAYOUT, "check the path; the folders' names have to be as above")
    return SampleSet(PartSchema.from_names(["car"]), LazySamples(table.names, table.sample))


class _CarTable:
    """Which sample is which car of which scene: a name and two numbers a sample."""

    def __init__(self) -> None:
        self.scenes: list[tuple[str, Scene | str]] = []
        self.names: list[str] = []
        self._places, self._numbers = array("l"), array("l")

    def add(self, photo: str, scene: Scene | str) -> None:
        """Lists a scene's cars; what is wrong with it (or the reason given in its place) is listed as one sample."""
        numbers = [-1]
        if isinstance(scene, Scene):
            try:
                numbers = scene.cars()
            except (DataError, OSError) as error:
                scene = str(error)
        self.scenes.append((photo, scene))
        path = PurePosixPath(photo)
        stem = path.with_name(path.stem.removesuffix(_PHOTO))
        for number in numbers:
            self._places.append(len(self.scenes) - 1)
            self._numbers.append(number)
            self.names.append(photo if number < 0 else f"{stem}-car-{number}.png")

    def sample(self, place: int, id: str) -> Sample:
        """The sample at a place of ``names``."""
        photo, scene = self.scenes[self._places[place]]
        _, folder, city, *_ = PurePosixPath(photo).parts
        split: Split = next(split for split in SPLITS if split == folder)
        if isinstance(scene, str):
            return Sample(id, photo, problem=scene, split=split, subset=city)
        car = Car(scene, self._numbers[place])
        return Sample(id, f"{photo}#car-{car.number}", car.photo, car.mask, split=split, subset=city)


def _scenes(root: Path) -> Iterator[tuple[str, Scene | str]]:
    """Each photo's path with its scene, or with what is wrong with it; then annotations that lack the photo."""
    photos = [name for name in photo_names(root / "leftImg8bit") if _stem(name) and _depth(name)]
    known = {file for file in files_below(root / "gtFine", _IDS.lower(), _POLYGONS.lower()) if _depth(file)}
    counts = Counter(_stem(name) for name in photos)
    annotated: Mapping[str, dict[str, str]] = _by_stem(known)
    for name in photos:
        stem, photo = _stem(name), f"leftImg8bit/{name}"
        files = annotated.get(stem, {})
        if counts[stem] > 1:
            yield photo, f"{counts[stem]} photos have the name {stem} apart from its suffix"
        elif not files:
            yield photo, f"no annotation at gtFine/{stem}{_POLYGONS} or {_IDS}"
        else:
            yield photo, Scene(root, root / photo, *(_path(root, files.get(kind)) for kind in (_IDS, _POLYGONS)))
    for stem in sorted(annotated.keys() - counts.keys()):
        yield f"leftImg8bit/{stem}{_PHOTO}.png", "an annotation below gtFine, but no such photo"


def _by_stem(files: set[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for file in files:
        kind = next((kind for kind in (_IDS, _POLYGONS) if file.endswith(kind)), None)
        if kind is not None:
            found[file.removesuffix(kind)][kind] = file
    return found


def _path(root: Path, file: str | None) -> Path | None:
    return None if file is None else root / "gtFine" / file


def _stem(name: str) -> str:
    """``SPLIT/CITY/ID`` of a photo below leftImg8bit, empty where its name is not of the layout."""
    path = PurePosixPath(name)
    return str(path.with_name(path.stem.removesuffix(_PHOTO))) if path.stem.endswith(_PHOTO) else ""


def _depth(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return len(parts) == 3 and parts[0] in SPLITS
