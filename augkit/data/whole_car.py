"""The body: the pixels of a car that belong to no part, such as its roof, as an internal last part.

Stages I and II draw, warp and paint it as a part of its own. In pairs to train on it is background, which it is in the
schema of the workspace; their exact masks keep it.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from augkit.core.parts import BACKGROUND, IGNORE, MAX_PART, Mask, Part, PartSchema
from augkit.data.crop import Region
from augkit.data.silhouette import WHITE, overlay

INTERNAL = "body (no part)"
"""Its name in the schemas of models; that of no data set."""

_REST = {"rest", "body"}
"""Words of names of parts that are the rest of the car already."""
_FRAME, _BEYOND, _EDGE = 0.98, 0.5, 0.05
"""The most that a silhouette may cover of the photo; of what lies beyond the hull of the parts, in shares of their
area; and of the photo's edge that it may touch beyond that hull."""
_LOOSE = 0.04
"""How far a car goes beyond the hull of its parts at the photo's edge, as a share of the photo's side."""


def has_rest(schema: PartSchema) -> bool:
    """Whether a part of the schema is the rest of the car."""
    return any(part.kind == "none" and _REST & set(part.words) for part in schema.part_names)


def with_internal_body(schema: PartSchema) -> PartSchema:
    """The schema with the internal part; as it is where it has no room for one, or a part for the rest of the car."""
    if has_rest(schema) or len(schema.parts) >= MAX_PART:
        return schema
    return PartSchema((*schema.parts, Part(len(schema.parts) + 1, INTERNAL, WHITE)))


def body_of(schema: PartSchema) -> int | None:
    """The id of the internal part; None where the schema has none."""
    return len(schema.parts) if schema.parts and schema.parts[-1].name == INTERNAL else None


def own_schema(schema: PartSchema) -> PartSchema:
    """The schema without the internal part."""
    return schema if body_of(schema) is None else PartSchema(schema.parts[:-1])


def without_body(mask: Mask, channels: int) -> Mask:
    """(H, W) mask with ids from ``channels`` on, of which only the internal part can be, as background."""
    return np.where((mask >= channels) & (mask != IGNORE), BACKGROUND, mask).astype(np.uint8)


def put_body(mask: Mask, silhouette: Region, body: int) -> Mask:
    """(H, W) mask with the body in the (H, W) silhouette; without it where that leaks or the mask shows no part."""
    return mask if leaks(mask, silhouette) else overlay(mask, silhouette, body)


def cleaned_body(drawn: Mask, parts: Mask, clean: Callable[[Mask], tuple[Mask, float]]) -> Mask:
    """The (H, W) ``parts``, which were cleaned of specks, with the body that was ``drawn`` with them: cleaned as well,
    and whole where specks in it were removed."""
    body = np.uint8(drawn[drawn != IGNORE].max())
    there = clean(np.where(drawn == body, body, BACKGROUND).astype(np.uint8))[0]
    removed = (parts == BACKGROUND) & (drawn != BACKGROUND) & (drawn != body)
    closed = cv2.morphologyEx(there, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    return np.where(parts == BACKGROUND, np.where(removed, closed, there), parts)


def leaks(mask: Mask, silhouette: Region) -> bool:
    """Whether a silhouette covers more than the car of an (H, W) mask: nearly the whole photo, far more than the parts'
    hull, or the edge of the photo where the parts are neither near nor below it."""
    inside, parts = mask != IGNORE, (mask != BACKGROUND) & (mask != IGNORE)
    if not parts.any():
        return True
    near = _hull(parts, round(_LOOSE * len(mask)))
    beyond, edge = silhouette & inside & ~near, inside & ~_eroded(inside)
    edge[: int(near.any(1).argmax())] &= ~near.any(0)  # photos are cut to the parts: a roof may reach above them
    return bool(
        (silhouette & inside).sum() > _FRAME * inside.sum()
        or beyond.sum() > _BEYOND * parts.sum()
        or (beyond & edge).sum() > _EDGE * edge.sum()
    )


def _hull(region: Region, more: int) -> Region:
    hull = np.zeros(region.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.argwhere(region)[:, ::-1].astype(np.int32)), 1)
    return np.asarray(cv2.dilate(hull, np.ones((2 * more + 1, 2 * more + 1), np.uint8)) > 0)


def _eroded(region: Region) -> Region:
    framed = np.pad(region.astype(np.uint8), 1)
    return np.asarray(cv2.erode(framed, np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0)
