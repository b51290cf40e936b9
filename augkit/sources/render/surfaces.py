"""What the surfaces of a car are called: parts, materials, and the details that differ from car to car."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from augkit.core.parts import PartSchema

PARTS = (
    "back_bumper",
    "back_glass",
    "back_left_door",
    "back_left_light",
    "back_right_door",
    "back_right_light",
    "front_bumper",
    "front_glass",
    "front_left_door",
    "front_left_light",
    "front_right_door",
    "front_right_light",
    "hood",
    "left_mirror",
    "right_mirror",
    "tailgate",
    "trunk",
    "wheel",
)
SCHEMA = PartSchema.from_names(PARTS)


def part_id(name: str) -> int:
    """The id of a part. Raises SchemaError where there is none."""
    return SCHEMA.id_of(name)


class Material(IntEnum):
    """What a surface is made of; HOLE is see-through."""

    HOLE = 0
    PAINT = 1
    GLASS = 2
    SEAM = 3
    PLASTIC = 4
    GRILLE = 5
    CHROME = 6
    HEADLIGHT = 7
    LAMP = 8
    TAILLIGHT = 9
    TAIL_CORE = 10
    PLATE = 11
    INK = 12
    TYRE = 13
    RIM = 14
    RIM_GAP = 15
    DARK = 16
    INDICATOR = 17
    BUMPER = 18
    MIRROR = 19
    SILL = 20
    CREASE = 21
    SEAT = 22


@dataclass(frozen=True)
class Details:
    """The small things that differ from car to car; shares 0..1 unless said otherwise.

    ``sweep``: how far the headlights reach back. ``slim``: how flat the lights are. ``grille``: its size.
    ``plate``: how high it is.
    """

    sweep: float = 0.5
    slim: float = 0.5
    grille: float = 0.5
    grille_width: float = 0.5
    plate: float = 0.5
    spokes: int = 5
    spoke_width: float = 0.5
    chrome: bool = True
