"""Photos read by the teacher of a workspace: masks and overlays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augkit.api.bars import shown
from augkit.api.opened import Changes, Config, Place, open_workspace, settings_of
from augkit.api.shown import Shown
from augkit.core.errors import ConfigError, DataError
from augkit.core.remote_workspace import remote_workspaces

if TYPE_CHECKING:
    from augkit.core.parts import PartSchema
    from augkit.core.progress import Progress
    from augkit.stages.photo_readings import PhotoReader

_SHOWN = 10


@dataclass(frozen=True)
class SegmentedPhoto:
    """What was written for a photo, or why it was ``refused``; the class that it shows, and the share of the car's
    pixels that are sure."""

    file: str
    photo: str = ""
    mask: str = ""
    overlay: str = ""
    car_class: str = ""
    kept: float = 0.0
    other_cars: int = 0
    refused: str = ""


@dataclass(frozen=True)
class SegmentedPhotos(Shown):
    """What was read of some photos."""

    folder: Path
    photos: Sequence[SegmentedPhoto]

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return {"folder": str(self.folder), "photos": [vars(photo) for photo in self.photos]}

    def table(self) -> str:
        """See ``Shown``."""
        read = [photo for photo in self.photos if not photo.refused]
        refused = [f"  {photo.file}: {photo.refused}" for photo in self.photos if photo.refused]
        several = sum(photo.other_cars > 0 for photo in read)
        lines = [f"{len(read)} of {len(self.photos)} photos read, masks and overlays in {self.folder}"]
        lines += [f"{several} show several cars: the largest was read"] if several else []
        lines += [f"  {photo.file}: {photo.car_class}, {photo.kept:.0%} of it sure" for photo in read[:_SHOWN]]
        return "\n".join([*lines, *([f"{len(refused)} refused:", *refused[:_SHOWN]] if refused else [])])


@remote_workspaces()
def segment(
    workspace: Place,
    source: str | Path,
    *,
    out: str | Path | None = None,
    config: Config = None,
    changes: Changes = (),
    progress: Progress | None = None,
) -> SegmentedPhotos:
    """Reads a photo, or all below a folder: writes the square around the car, its mask, and an overlay of both.

    They go to ``out``, by default ``WORKSPACE/reports/segmented``. A photo of several cars gives the largest one.
    Raises CheckpointError where the workspace has no teacher, DataError where no photo shows a car.
    """
    from augkit.core.parts import PartSchema
    from augkit.data.importers._photos import photo_names
    from augkit.data.sample_ids import ids_of
    from augkit.stages.teacher_model import load_teacher

    place, origin = open_workspace(workspace), Path(source)
    if not origin.exists():
        raise ConfigError(f"{origin}: nothing is there", "a photo, or a folder of photos", "check the path")
    root = origin if origin.is_dir() else origin.parent
    names = photo_names(root) if origin.is_dir() else [origin.name]
    if not names:
        raise DataError(f"{origin}: no photo", "JPEG, PNG, WebP, BMP or TIFF files", "check the path")
    place.require_catalogue()
    reader, schema = load_teacher(place, settings_of(place, config, changes)), PartSchema.load(place.schema)
    folder = Path(out) if out is not None else place.reports / "segmented"
    found = []
    with shown(progress) as told:
        for number, (name, id) in enumerate(zip(names, ids_of(names), strict=True), 1):
            found.append(_segment_one(root / name, name, folder / id, reader, schema))
            told("photos read", number, len(names))
    if all(photo.refused for photo in found):
        reasons = "\n".join(f"  {photo.file}: {photo.refused}" for photo in found[:_SHOWN])
        raise DataError(f"none of {len(found)} photos can be read:\n{reasons}", "a photo of a car", "name another one")
    return SegmentedPhotos(folder, found)


def _segment_one(path: Path, name: str, stem: Path, reader: PhotoReader, schema: PartSchema) -> SegmentedPhoto:
    from augkit.core.atomic_file import write_bytes
    from augkit.data.samples import Sample, read_unlabelled
    from augkit.report.audit_page import outlined
    from augkit.shards.codec import encode_mask
    from augkit.stages.photo_readings import view_of_reading
    from augkit.train.image_grid import write_picture

    try:
        photo, _ = read_unlabelled(Sample("photo", name, photo=path.read_bytes()))
        car = reader.find(photo)
    except (DataError, OSError) as error:
        return SegmentedPhoto(name, refused=error.found if isinstance(error, DataError) else str(error))
    square, mask, overlay = (stem.with_name(stem.name + end) for end in (".png", ".mask.png", ".overlay.png"))
    write_picture(square, car.photo)
    write_bytes(mask, encode_mask(car.sure))
    write_picture(overlay, outlined(car.photo, car.read, schema, reader.size))
    car_class = view_of_reading(car, schema).car_class.name
    return SegmentedPhoto(name, str(square), str(mask), str(overlay), car_class, car.kept, car.other_cars)
