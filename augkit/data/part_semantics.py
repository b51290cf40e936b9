"""What the parts of a schema are, read from the words of their names: which end, which side, where along the car."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import PartSchema

Table = NDArray[np.int64]


class PartKind(NamedTuple):
    """Parts of one kind. ``depths`` are percent of the car's length from its foremost point: where the part is when
    its name says front, when it says back, and when it says neither (None: then it is of no use here)."""

    words: tuple[str, ...]
    depths: tuple[int | None, int | None, int | None]
    end_weight: int = 0
    own_end: int = 0
    fades: bool = False


# The first kind that has a word of the name decides. Weights say how surely a visible pixel of the part means that its
# end of the car is visible. Trunks and panes fade as the flank shows: the side of a pickup's bed is often called trunk
# or tailgate, a rear side window back glass. Bumpers reach round the corners, so the trunk is hindmost, not the bumper.
KINDS = (
    PartKind(("door",), (50, 65, 57)),
    PartKind(("mirror",), (40, 40, 40)),
    PartKind(("wheel", "tire", "tyre", "rim"), (50, 50, 50)),
    PartKind(("light", "lamp", "headlight", "headlamp", "taillight", "taillamp"), (10, 90, None), 20),
    PartKind(("bumper",), (10, 85, None), 20),
    PartKind(("hood", "bonnet"), (20, 20, 20), 10, 1),
    PartKind(("grille", "grill"), (5, 5, 5), 20, 1),
    PartKind(("windshield", "windscreen"), (40, 80, 40), 5, 1, True),
    PartKind(("trunk", "boot", "tailgate", "liftgate", "hatch"), (100, 100, 100), 15, -1, True),
    PartKind(("glass", "window"), (40, 80, None), 5, 0, True),
    PartKind(("fender", "quarter", "wing", "panel", "sill", "rocker"), (25, 80, 55)),
)
_FRONT = {"front", "fore", "headlight", "headlamp", "head"}
_BACK = {"back", "rear", "hind", "taillight", "taillamp", "tail"}


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
    """The roles of a schema's parts; a part whose name says nothing has none."""
    tables = {name: np.zeros(256, np.int64) for name in PartSemantics.__dataclass_fields__}
    for part in schema.parts:
        for name, value in _roles(part.name).items():
            tables[name][part.id] = value
    return PartSemantics(**tables)


def _roles(name: str) -> dict[str, int]:
    """The entries of one part's row that are not 0."""
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    end = 1 if words & _FRONT else -1 if words & _BACK else 0
    side = 1 if "left" in words else -1 if "right" in words else 0
    kind = next((kind for kind in KINDS if words & {*kind.words, *(f"{word}s" for word in kind.words)}), None)
    roles = {"side": side}
    if kind is None:
        return roles
    first = kind.words[0]
    flank = first == "glass" and side != 0  # a side window
    end = end or kind.own_end
    depth = kind.depths[{1: 0, -1: 1, 0: 2}[end]]
    if depth is not None and not flank:
        roles |= {"placed": 1, "depth": depth}
    if not flank:
        roles |= {"end": end * kind.end_weight, "fading": end * kind.end_weight * kind.fades}
    if first == "light":
        roles |= {"front_light": int(end > 0), "back_light": int(end < 0)}
    if first == "door":
        roles |= {"front_door": int(end > 0), "rear_door": int(end < 0)}
    if first in ("wheel", "mirror"):
        roles[first] = 1
    return roles
