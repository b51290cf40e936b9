"""Pairs prepared by a recipe as a data set of picture files, which ``augkit import folder`` reads."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from augkit.core.atomic_file import move, replacing, temporary_name, write_text
from augkit.core.errors import ConfigError, DataError
from augkit.core.lock import held
from augkit.core.parts import Mask, PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.crop import Photo
from augkit.data.pair_files import read_mask, read_photo
from augkit.data.silhouette import car_of, crop, outside, overlay, with_body
from augkit.sources.silhouettes.silhouette_store import SilhouetteRow, read_silhouette


@dataclass(frozen=True)
class Preparation:
    """``outside`` is what becomes of the pixels beside the car: keep, green or transparent; see ``recipes``."""

    outside: str = "keep"
    overlay: bool = False
    crop: bool = False

    def __post_init__(self) -> None:
        outside(self.outside)


def write_dataset(
    target: Path,
    workspace: Workspace,
    rows: Sequence[CatalogueRow],
    found: Sequence[SilhouetteRow],
    recipe: Preparation,
    *,
    progress: Progress = silent,
) -> int:
    """Writes the pairs that have a silhouette; returns how many.

        TARGET/
          parts.csv                    id,name,red,green,blue
          images/{split}/{id}.png
          masks/{split}/{id}.png       8-bit grey part ids; 255 is ignore

    All or nothing. Raises ConfigError where the folder holds something, SchemaError where the schema has no room for
    ``body``, DataError where no pair has a silhouette, BusyError where another command writes it.
    """
    with held(target):
        return _write_all(target, workspace, rows, found, recipe=recipe, progress=progress)


def _write_all(
    target: Path, workspace: Workspace, rows: Sequence[CatalogueRow], found: Sequence[SilhouetteRow],
    *, recipe: Preparation, progress: Progress,
) -> int:  # fmt: skip
    require_empty(target)
    schema = PartSchema.load(workspace.schema)
    schema = with_body(schema) if recipe.overlay else schema
    kept = {row.id: row for row in found if not row.dropped}
    known = [row for row in rows if row.id in kept]
    if not known:
        raise DataError(
            f"none of {len(rows)} pairs has a silhouette", "at least one", "lower --min-score or use another --method"
        )
    building = target.with_name(temporary_name(target.name))
    try:
        building.mkdir(parents=True)
        for done, row in enumerate(known, 1):
            picture, mask = _prepared(workspace, row, kept[row.id], recipe, len(schema.parts))
            _write(building / "images" / row.split / f"{row.id}.png", picture)
            _write(building / "masks" / row.split / f"{row.id}.png", mask)
            progress("writing", done, len(known))
        _write_parts(building / "parts.csv", schema)
        if target.is_dir():
            target.rmdir()
        move(building, target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return len(kept)


def require_empty(target: Path) -> None:
    """Raises ConfigError where the place of a new data set is taken."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"--write {target}: there is something already", "a new or an empty folder", "choose another")


def _prepared(
    workspace: Workspace, row: CatalogueRow, found: SilhouetteRow, recipe: Preparation, last_part: int
) -> tuple[Photo, Mask]:
    """Picture (RGB or RGBA) and mask by the recipe."""
    photo, mask = read_photo(workspace.photo(row.id)), read_mask(workspace.mask(row.id))
    silhouette = read_silhouette(workspace.silhouette(row.id))
    if silhouette.shape != mask.shape:
        path = workspace.silhouette(row.id)
        raise DataError(f"{path}: of another size than its pair", "the same size", "run `augkit silhouettes --fresh`")
    picture = outside(recipe.outside)(photo, car_of(mask, silhouette))
    mask = overlay(mask, silhouette, last_part) if recipe.overlay else mask
    if recipe.crop:
        picture, mask = crop(picture, found.box), crop(mask, found.box)
    return picture, mask


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, "PNG")


def _write_parts(path: Path, schema: PartSchema) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["id", "name", "red", "green", "blue"])
    writer.writerows([part.id, part.name, *part.colour] for part in schema.parts)
    write_text(path, stream.getvalue())
