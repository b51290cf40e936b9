"""What the parts of a schema are to the views of a car: which end, which side, where along the car."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augkit.core.part_names import NONE, PartName
from augkit.core.parts import PartSchema

Table = NDArray[np.int64]


class KindPlace(NamedTuple):
    """Where the parts of one kind are. ``depths`` are percent of the car's length from its foremost point: where the
    part is when it is one of the front, when it is one of the back, and when it says neither (None: then it is of no
    use here)."""

    depths: tuple[int | None, int | None, int | None]
    end_weight: int = 0
    own_end: int = 0
    fades: bool = False


# Weights say how surely a visible pixel of the part means that its end of the car is visible. Trunks and panes fade as
# the flank shows: the side of a pickup's bed is often called trunk or tailgate, a rear side window back glass. Bumpers
# reach round the corners, so the trunk is hindmost, not the bumper.
PLACES = {
    "door": KindPlace((50, 65, 57)),
    "mirror": KindPlace((40, 40, 40)),
    "wheel": KindPlace((50, 50, 50)),
    "light": KindPlace((10, 90, None), 20),
    "bumper": KindPlace((10, 85, None), 20),
    "hood": KindPlace((20, 20, 20), 10, 1),
    "grille": KindPlace((5, 5, 5), 20, 1),
    "windshield": KindPlace((40, 80, 40), 5, 1, True),
    "trunk": KindPlace((100, 100, 100), 15, -1, True),
    "glass": KindPlace((40, 80, None), 5, 0, True),
    "fender": KindPlace((25, 80, 55)),
}
"""By the kinds of ``core.part_names``."""


@dataclass(frozen=True)
class PartSemantics:
    """(256,) tables by part id.

    ``end`` is the weight as a sign of the front (> 0) or of the back (< 0), ``fading`` those of it that count less the
    more of the flank is visible; ``side`` is 1 for a left part, -1 for a
    right one; ``placed`` is 1 for a part whose place along the car, ``depth`` (0..100), is known. The others are 1
    for parts of that kind.
    """

    end: Table
    fading: Table
    side: Table
    placed: Table
    depth: Table
    front_door: Table
    rear_door: Table
    wheel: Table
    mirror: Table
    front_light: Table
    back_light: Table


@lru_cache(maxsize=32)
def part_semantics(schema: PartSchema) -> PartSemantics:
    """What the parts of a schema are; a part of which nothing is known is nothing in particular."""
    tables = {name: np.zeros(256, np.int64) for name in PartSemantics.__dataclass_fields__}
    for id, part in enumerate(schema.part_names, 1):
        for name, value in _entries(part).items():
            tables[name][id] = value
    return PartSemantics(**tables)


def _entries(part: PartName) -> dict[str, int]:
    """The entries of one part's row that are not 0."""
    end = {"front": 1, "rear": -1, NONE: 0}[part.end]
    side = {"left": 1, "right": -1, NONE: 0}[part.side]
    entries = {"side": side}
    if part.kind == NONE:
        return entries
    place = PLACES[part.kind]
    flank = part.kind == "glass" and side != 0  # a side window
    end = end or place.own_end
    depth = place.depths[{1: 0, -1: 1, 0: 2}[end]]
    if depth is not None and not flank:
        entries |= {"placed": 1, "depth": depth}
    if not flank:
        entries |= {"end": end * place.end_weight, "fading": end * place.end_weight * place.fades}
    if part.kind == "light":
        entries |= {"front_light": int(end > 0), "back_light": int(end < 0)}
    if part.kind == "door":
        entries |= {"front_door": int(end > 0), "rear_door": int(end < 0)}
    if part.kind in ("wheel", "mirror"):
        entries[part.kind] = 1
    return entries
