"""The classes that are balanced: orientation (quadrant of the camera's azimuth) x doors.

Azimuth is measured in degrees, seen from above, from the front of the car towards its left side: 0 looks at the
front, 90 at the left side, 180 at the back, 270 at the right side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from augkit.core.errors import ConfigError
from augkit.core.nearest import one_of

Orientation = Literal["A", "B", "C", "D"]
Doors = Literal["3", "5", "unknown"]

ORIENTATIONS: tuple[Orientation, ...] = get_args(Orientation)
DOORS: tuple[Doors, ...] = get_args(Doors)

READABLE: dict[Orientation, str] = {"A": "front-left", "B": "back-left", "C": "back-right", "D": "front-right"}
_MIRROR: dict[Orientation, Orientation] = {"A": "D", "B": "C", "C": "B", "D": "A"}


@dataclass(frozen=True, order=True)
class CarClass:
    """One (orientation, doors) combination, e.g. ``front-left-5``."""

    orientation: Orientation
    doors: Doors

    @property
    def name(self) -> str:
        """Readable, and fit for a folder: ``front-left-5``, ``back-right-unknown``."""
        return f"{READABLE[self.orientation]}-{self.doors}"

    @property
    def mirror(self) -> CarClass:
        """The class of the horizontally flipped picture."""
        return CarClass(_MIRROR[self.orientation], self.doors)

    @property
    def number(self) -> int:
        """Place in ``ALL_CLASSES``; what class-conditional networks embed."""
        return ORIENTATIONS.index(self.orientation) * len(DOORS) + DOORS.index(self.doors)

    @classmethod
    def parse(cls, name: str) -> CarClass:
        """Inverse of ``name``; ``A-5`` works as well. Raises ConfigError."""
        by_name = {known.name: known for known in ALL_CLASSES}
        by_name |= {f"{known.orientation}-{known.doors}": known for known in ALL_CLASSES}
        if name not in by_name:
            raise ConfigError(f"no class named {name!r}", one_of(name, (c.name for c in ALL_CLASSES)))
        return by_name[name]


ALL_CLASSES = tuple(CarClass(orientation, doors) for orientation in ORIENTATIONS for doors in DOORS)


def orientation_of(azimuth: float) -> Orientation:
    """The quadrant of an azimuth in degrees (any multiple of 360 added)."""
    return ORIENTATIONS[int(azimuth % 360 // 90)]
