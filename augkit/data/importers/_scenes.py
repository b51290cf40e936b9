"""One street scene of Cityscapes: its photo, and the map of its cars from an image or from polygons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from augkit.core.errors import DataError
from augkit.core.regular_file import LABELS, read_plain
from augkit.data.crop import Photo, canonical_window
from augkit.data.importers._pictures import opened, photo_bytes
from augkit.data.importers._source import contained
from augkit.data.photo_decoding import decode, require_size
from augkit.data.plausibility import NO_AREA, Polygons, require_near, require_pixels
from augkit.data.samples import PartMask

CAR = 26
"""A picture of instances has 26000 + its number on a car's pixels, and 26 on a group of cars not told apart."""
SMALLEST_SIDE = 48
"""Pixels of the shorter side of a car's bounding box; smaller cars are left out."""

_LARGEST_MARGIN = 1.0  # of the setting data.margin: with that much around it, the canonical cut is the scene's own
_LARGEST = 1e15  # of a coordinate; infinity and what no float holds are beyond it
_NOT_DRAWN = frozenset({"license plate"})  # annotated on top of cars, but part of them

CarMap = NDArray[np.uint16]


@dataclass(frozen=True)
class Scene:
    """The files of one scene, below ``root``: the photo, and ``ids`` (an image) or ``polygons`` (JSON) or both."""

    root: Path
    photo: Path
    ids: Path | None
    polygons: Path | None

    def cars(self) -> list[int]:
        """The numbers of its cars. From polygons they are counted; from an image alone it has to be decoded.

        Raises DataError or OSError where the annotation cannot be read.
        """
        if self.polygons is not None:
            return list(range(sum(label == "car" for label, _ in _objects(_load(contained(self.root, self.polygons))))))
        return [int(value) - 1 for value in np.unique(self.car_map()[0]) if value]

    def decoded(self) -> Decoded:
        """What the files hold; the last scenes are remembered."""
        files = [file for file in (self.photo, self.ids, self.polygons) if file is not None]
        stamps = [contained(self.root, file).stat() for file in files]
        return _decoded(self, tuple((stamp.st_mtime_ns, stamp.st_size) for stamp in stamps))

    def car_map(self) -> tuple[CarMap, int]:
        """(H, W) cars by their number plus 1, 0 elsewhere; how many outlines have no area."""
        if self.ids is not None:
            return _from_image(contained(self.root, self.ids)), 0
        assert self.polygons is not None, "a scene has an annotation"
        return _drawn(_load(contained(self.root, self.polygons)))


class Decoded(NamedTuple):
    """A scene in memory: (H, W, 3) photo, (H, W) cars by their number plus 1, and the box of each, None without one.

    ``left_out`` are outlines without an area.
    """

    photo: Photo
    cars: CarMap
    boxes: list[tuple[slice, slice] | None]
    left_out: int

    @classmethod
    def of(cls, photo: Photo, cars: CarMap, left_out: int) -> Decoded:
        """Finds the boxes, all in one pass: looking for each car alone would take longer than decoding the scene."""
        from scipy.ndimage import find_objects

        return cls(photo, cars, find_objects(cars), left_out)

    @property
    def first(self) -> int:
        """The first car that is seen."""
        return next(number for number, box in enumerate(self.boxes) if box is not None)


@dataclass(frozen=True)
class Car:
    """One car of a scene, with so much of the scene around it that every canonical cut is the same as from all of it.

    Its methods read the scene; they raise DataError where the car cannot be used.
    """

    scene: Scene
    number: int

    def photo(self) -> Photo:
        """(h, w, 3) part of the scene."""
        view = self.scene.decoded()
        return np.ascontiguousarray(view.photo[self._window(view)])

    def mask(self) -> PartMask:
        """(h, w) mask: 1 on this car; other cars are background. What is left out of a scene is told with one car."""
        view = self.scene.decoded()
        cover = np.asarray(view.cars[self._window(view)] == self.number + 1, np.uint8)
        told = view.left_out and self.number == view.first
        return PartMask(cover, notes={NO_AREA: view.left_out} if told else {})

    def _window(self, view: Decoded) -> tuple[slice, slice]:
        box = view.boxes[self.number] if self.number < len(view.boxes) else None
        if box is None:
            raise DataError(f"car {self.number} has no pixel: something in front hides it, or nobody drew it")
        height, width = (side.stop - side.start for side in box)
        if min(height, width) < SMALLEST_SIDE:
            raise DataError(f"car {self.number}: {width} x {height} px, its shorter side is below {SMALLEST_SIDE}")
        shown = np.zeros(view.cars.shape, np.uint8)
        shown[box] = 1
        window = canonical_window(shown, _LARGEST_MARGIN)
        x, y, side = window.x, window.y, window.side
        return slice(max(0, y), max(0, y + side)), slice(max(0, x), max(0, x + side))


@lru_cache(maxsize=2)
def _decoded(scene: Scene, _stamps: tuple[tuple[int, int], ...]) -> Decoded:
    """The stamps (time and size of the files) are there for the cache: a changed file is read again."""
    cars, left_out = scene.car_map()
    return Decoded.of(decode(photo_bytes(scene.root, scene.photo), cars.shape), cars, left_out)


def _from_image(file: Path) -> CarMap:
    """The cars of an ``_instanceIds`` image."""
    with opened(file, "map of instances") as image:
        if image.mode not in ("I", "I;16", "I;16B"):
            raise DataError(f"{file.name} has {image.mode} pixels; a 16-bit picture of instance ids is expected")
        values = np.array(image)
    return np.where(values // 1000 == CAR, values % 1000 + 1, 0).astype(np.uint16)


def _load(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(read_plain(file, LABELS))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.name} cannot be read: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("objects"), list):
        raise DataError(f"{file.name} has no list of objects")
    return data


def _objects(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Label and polygon of the objects that count, from the hindmost to the foremost."""
    for place, entry in enumerate(data["objects"]):
        if not isinstance(entry, dict) or not isinstance(entry.get("label"), str):
            raise DataError(f"object {place} has no label")
        if not entry.get("deleted"):
            yield entry["label"], entry.get("polygon")


def _drawn(data: dict[str, Any]) -> tuple[CarMap, int]:
    """Polygons painted over each other in their order, as the data set's own tool makes its images.

    Those of less than three points hide nothing and are left out; how many, is returned, too.
    """
    width, height = data.get("imgWidth"), data.get("imgHeight")
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        raise DataError(f"the file records a width and height of {width} and {height}")
    require_size((height, width), "scene")
    image = Image.new("I", (width, height))
    pen, number, left_out = ImageDraw.Draw(image), 0, 0
    objects = [(label, polygon, f"object {place} ({label})") for place, (label, polygon) in enumerate(_objects(data))]
    outlines = [(label, _points(polygon, name), name) for label, polygon, name in objects]
    polygons = {name: Polygons([list(chain(*points))]) for _, points, name in outlines if len(points) >= 3}
    require_pixels(list(polygons.values()), height, width)
    for label, points, name in outlines:
        left_out += name not in polygons
        if name in polygons:
            require_near(polygons[name], name, height, width)
            if label not in _NOT_DRAWN:
                pen.polygon(points, fill=number + 1 if label == "car" else 0)
        number += label == "car"
    return np.array(image).astype(np.uint16), left_out


def _points(polygon: Any, name: str) -> list[tuple[float, float]]:
    """A polygon's corners. A faulty one is an error of the whole scene: what it would have hidden is not known."""
    if not isinstance(polygon, list) or not all(_is_point(point) for point in polygon):
        raise DataError(f"{name}: a polygon that is no list of [x, y]")
    return [(x, y) for x, y in polygon]


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_number(number) for number in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
