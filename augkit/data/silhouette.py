"""What the source reports did with silhouettes: pure functions of a pair and its silhouette."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError, SchemaError
from augkit.core.nearest import one_of
from augkit.core.parts import BACKGROUND, IGNORE, MAX_PART, Colour, Mask, Part, PartSchema
from augkit.data.crop import Photo, Region

GREEN: Colour = (51, 255, 51)
WHITE: Colour = (255, 255, 255)
BODY = "body"


def keep(photo: Photo, _car: Region) -> Photo:
    """(H, W, 3) photo as it is."""
    return photo


def green(photo: Photo, car: Region) -> Photo:
    """(H, W, 3) photo, every pixel outside the (H, W) car ``GREEN``."""
    return np.where(car[..., None], photo, np.array(GREEN, np.uint8))


def transparent(photo: Photo, car: Region) -> Photo:
    """(H, W, 4) RGBA: outside the (H, W) car transparent and black, so that readers without alpha see no background."""
    alpha = car[..., None].astype(np.uint8)
    return np.concatenate([photo * alpha, alpha * 255], axis=2)


OUTSIDE: dict[str, Callable[[Photo, Region], Photo]] = {"keep": keep, "green": green, "transparent": transparent}


def outside(name: str) -> Callable[[Photo, Region], Photo]:
    """The recipe of that name. Raises ConfigError."""
    if name not in OUTSIDE:
        raise ConfigError(f"--outside {name}", one_of(name, OUTSIDE), "choose a listed name")
    return OUTSIDE[name]


def car_of(mask: Mask, silhouette: Region) -> Region:
    """(H, W) pixels of the car: its silhouette and its parts, whose edges need not agree; nothing that is ignored."""
    return np.asarray((silhouette | (mask != BACKGROUND)) & (mask != IGNORE))


def with_body(schema: PartSchema) -> PartSchema:
    """The schema with a last part ``body``, white. Raises SchemaError where it has one, or no room for it."""
    if BODY in schema.names or len(schema.parts) >= MAX_PART:
        raise SchemaError(
            f"a schema of {len(schema.parts)} parts"
            + (f", one of them named {BODY!r}" if BODY in schema.names else ""),
            f"at most {MAX_PART - 1} parts, none named {BODY!r}",
            "leave --overlay out",
        )
    return PartSchema((*schema.parts, Part(len(schema.parts) + 1, BODY, WHITE)))


def overlay(mask: Mask, silhouette: Region, body: int) -> Mask:
    """(H, W) part ids over the (H, W) silhouette: its pixels without a part become ``body``; all others stay."""
    return np.where(silhouette & (mask == BACKGROUND), np.uint8(body), mask)


def crop(picture: NDArray[np.uint8], box: Sequence[float]) -> NDArray[np.uint8]:
    """The part of an (H, W, ...) picture that a box touches: its edges go outwards to whole pixels of the picture."""
    height, width = picture.shape[:2]
    x0, y0 = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
    x1, y1 = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
    assert x0 < x1 and y0 < y1, "a box comes from a detection in this picture"
    return np.ascontiguousarray(picture[y0:y1, x0:x1])
