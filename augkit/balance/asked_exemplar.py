"""The exemplar that was asked for: a real photo whose appearance all generated photos take over."""

from __future__ import annotations

import hashlib
from pathlib import Path

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue, usable
from augkit.data.orientation import classify
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo
from augkit.data.present_split import present_split, sha256_of
from augkit.gan.generated import Exemplar

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def load_exemplar(source: str, workspace: Workspace, schema: PartSchema, size: int) -> Exemplar:
    """A pair of the workspace by its id, or PHOTO with its part mask beside it as PHOTO's name with ``.mask.png``.

    Raises DataError where there is neither, where it is held out now, and where photo and mask do not fit together or
    do not fit the schema.
    """
    photo_path, mask_path, name = _places(source, workspace)
    photo, mask = read_photo(photo_path), read_mask(mask_path)
    if photo.shape[:2] != mask.shape:
        raise DataError(
            f"{photo_path}: {photo.shape[1]} x {photo.shape[0]} px, but its mask {mask.shape[1]} x {mask.shape[0]} px",
            "a photo and its mask, pixel by pixel", "make the mask again for this photo",
        )  # fmt: skip
    if photo.shape[0] != photo.shape[1]:
        raise DataError(
            f"{photo_path}: {photo.shape[1]} x {photo.shape[0]} px", "a square crop around the car",
            "import it (augkit import) and name the pair's id",
        )  # fmt: skip
    schema.check(mask, str(mask_path))
    pair = Pair(photo, mask, classify(mask, schema).car_class)
    return Exemplar(pair.resize(size), name, mirrored=False)


def exemplar_digest(source: str | None, styled: bool, workspace: Workspace, schema: PartSchema, size: int) -> str:
    """Hash of the pixels of the exemplar; empty where none is asked for. ``styled``: whether stage II reads any.

    Raises DataError for what cannot be one and ConfigError where nothing reads it, before anything is trained.
    """
    if source is None:
        return ""
    if not styled:
        raise ConfigError(
            f"balance.exemplar {source}, but what image.conditioning names reads no photo",
            "image.conditioning with exemplar, colours or styles",
            "leave balance.exemplar out, or train stage II with one of these",
        )
    pair = load_exemplar(source, workspace, schema, size).pair
    return hashlib.sha256(pair.photo.tobytes() + pair.mask.tobytes()).hexdigest()


def facing(exemplar: Exemplar, car_class: CarClass, schema: PartSchema) -> Exemplar:
    """The exemplar as it suits the class: its mirror image where that shows the class's orientation."""
    if exemplar.pair.car_class.mirror.orientation != car_class.orientation:
        return exemplar
    return Exemplar(exemplar.pair.flip(schema), exemplar.name, mirrored=True)


def _places(source: str, workspace: Workspace) -> tuple[Path, Path, str]:
    """Files of photo and mask, and the id that the index is to name."""
    path = Path(source)
    if path.suffix.lower() in SUFFIXES:
        mask = path.with_name(path.stem + ".mask.png")
        missing = [file for file in (path, mask) if not file.is_file()]
        if missing:
            raise DataError(
                f"exemplar {source}: there is no {missing[0]}", "PHOTO and its part mask beside it (photo.mask.png)",
                "draw the mask, or name the id of a pair of the workspace",
            )  # fmt: skip
        split = present_split(workspace, source, sha256_of(path))
        if split != "train":
            raise DataError(
                f"exemplar {source}: a photo of the split {split}, which would show in training pairs",
                "a photo that is not held out", "name another photo, or the id of a pair for training",
            )  # fmt: skip
        return path, mask, f"style:{path.name}"  # the mark that indexes of data sets have
    splits = {row.id: row.split for row in usable(read_catalogue(workspace.require_catalogue()))}
    ids = [id for id, split in splits.items() if split == "train"]
    if source not in splits:
        raise DataError(
            f"exemplar {source!r}: no pair of the workspace has this id, and it is no photo",
            f"an id such as {ids[0] if ids else '(none here)'}, or a photo ({', '.join(SUFFIXES)})",
            "`augkit view` shows ids",
        )
    if splits[source] != "train":
        raise DataError(
            f"exemplar {source!r}: a pair of the split {splits[source]}, which would show in training pairs",
            f"a pair for training, such as {ids[0] if ids else '(none here)'}", "name another id",
        )  # fmt: skip
    return workspace.photo(source), workspace.mask(source), source
