"""Body styles: the side profile, width and corner depth of each, and the proportions drawn at random around them.

The body is a stack of rings. Ring ``i`` runs round the car through a point of the front profile and one of the back
profile; the rows mean the same in every style:

    0 sill  1 skirt  2 bumper  3 bumper top  4 edge of the lights  5, 6 hood, boot  7 cowl  8 foot of the glass  9 glass
    10 roof rail  11 roof  12 crown

Lengths are metres; x = 0 is half way between the bumpers, z = 0 the ground.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError

Floats = NDArray[np.float64]

ROWS = 13


@dataclass(frozen=True)
class Style:
    """A body style.

    Columns of ``rings``: x and z of the front profile, x and z of the back profile, half width, depth of the front
    corners, depth of the back corners. ``axles`` are the wheels' x, ``wheel`` is their radius. The doors begin at
    ``door_start``; of five-door cars the front ones end at ``pillar`` and the rear ones at ``door_end``, the only ones
    of three-door cars at ``coupe_end``. ``boxy`` is the exponent of the rounded ends (2 is an ellipse).
    """

    rings: tuple[tuple[float, ...], ...]
    axles: tuple[float, float]
    wheel: float
    door_start: float
    pillar: float
    door_end: float
    coupe_end: float
    boxy: float

    @property
    def table(self) -> Floats:
        """(13, 7) rings."""
        return np.asarray(self.rings, np.float64)


SEDAN = Style(
    rings=(
        (2.03, 0.21, -2.04, 0.25, 0.80, 0.25, 0.25),
        (2.19, 0.23, -2.16, 0.28, 0.87, 0.40, 0.37),
        (2.28, 0.36, -2.26, 0.42, 0.90, 0.48, 0.44),
        (2.29, 0.53, -2.29, 0.60, 0.91, 0.49, 0.47),
        (2.24, 0.73, -2.25, 0.74, 0.91, 0.54, 0.45),
        (2.08, 0.83, -2.21, 0.90, 0.90, 0.58, 0.42),
        (1.64, 0.91, -2.16, 1.03, 0.885, 0.54, 0.40),
        (1.02, 0.97, -1.98, 1.07, 0.86, 0.42, 0.40),
        (0.90, 1.00, -1.60, 1.09, 0.80, 0.34, 0.34),
        (0.48, 1.23, -1.24, 1.28, 0.72, 0.28, 0.30),
        (0.16, 1.385, -0.92, 1.40, 0.65, 0.24, 0.24),
        (-0.06, 1.44, -0.72, 1.445, 0.52, 0.22, 0.22),
        (-0.30, 1.455, -0.36, 1.455, 0.0, 0.0, 0.0),
    ),
    axles=(1.38, -1.34),
    wheel=0.335,
    door_start=0.82,
    pillar=-0.20,
    door_end=-1.12,
    coupe_end=-0.58,
    boxy=2.9,
)

HATCHBACK = Style(
    rings=(
        (1.80, 0.21, -1.78, 0.27, 0.78, 0.22, 0.20),
        (1.94, 0.23, -1.90, 0.29, 0.85, 0.36, 0.30),
        (2.02, 0.36, -1.98, 0.42, 0.88, 0.44, 0.38),
        (2.03, 0.54, -2.00, 0.58, 0.89, 0.45, 0.40),
        (1.98, 0.76, -1.96, 0.72, 0.89, 0.50, 0.38),
        (1.84, 0.87, -1.94, 0.84, 0.88, 0.54, 0.36),
        (1.48, 0.95, -1.92, 0.93, 0.87, 0.50, 0.34),
        (1.02, 1.01, -1.90, 1.00, 0.85, 0.42, 0.32),
        (0.92, 1.04, -1.87, 1.05, 0.80, 0.34, 0.30),
        (0.50, 1.27, -1.70, 1.28, 0.73, 0.30, 0.27),
        (0.16, 1.43, -1.52, 1.44, 0.66, 0.26, 0.24),
        (-0.06, 1.49, -1.36, 1.49, 0.52, 0.22, 0.22),
        (-0.28, 1.51, -1.05, 1.51, 0.0, 0.0, 0.0),
    ),
    axles=(1.22, -1.22),
    wheel=0.325,
    door_start=0.72,
    pillar=-0.22,
    door_end=-1.02,
    coupe_end=-0.62,
    boxy=3.0,
)

SUV = Style(
    rings=(
        (2.06, 0.28, -2.02, 0.36, 0.82, 0.22, 0.20),
        (2.21, 0.31, -2.15, 0.38, 0.89, 0.36, 0.30),
        (2.30, 0.48, -2.24, 0.52, 0.93, 0.44, 0.38),
        (2.31, 0.68, -2.26, 0.72, 0.94, 0.45, 0.38),
        (2.28, 0.94, -2.22, 0.88, 0.94, 0.48, 0.34),
        (2.18, 1.05, -2.20, 1.00, 0.93, 0.54, 0.30),
        (1.78, 1.11, -2.18, 1.08, 0.925, 0.54, 0.28),
        (1.14, 1.15, -2.16, 1.14, 0.91, 0.42, 0.26),
        (1.02, 1.18, -2.13, 1.19, 0.86, 0.34, 0.24),
        (0.62, 1.43, -2.00, 1.44, 0.79, 0.29, 0.22),
        (0.28, 1.63, -1.86, 1.64, 0.72, 0.25, 0.20),
        (0.06, 1.71, -1.74, 1.71, 0.58, 0.22, 0.20),
        (-0.20, 1.74, -1.40, 1.74, 0.0, 0.0, 0.0),
    ),
    axles=(1.38, -1.34),
    wheel=0.39,
    door_start=0.84,
    pillar=-0.18,
    door_end=-1.10,
    coupe_end=-0.60,
    boxy=3.4,
)

PICKUP = Style(
    rings=(
        (2.34, 0.33, -2.38, 0.44, 0.80, 0.22, 0.10),
        (2.49, 0.36, -2.56, 0.47, 0.87, 0.34, 0.14),
        (2.59, 0.53, -2.61, 0.56, 0.91, 0.42, 0.18),
        (2.60, 0.72, -2.61, 0.68, 0.92, 0.43, 0.16),
        (2.57, 0.97, -2.52, 0.76, 0.92, 0.48, 0.12),
        (2.46, 1.09, -2.54, 0.98, 0.915, 0.54, 0.10),
        (2.04, 1.14, -2.54, 1.10, 0.91, 0.54, 0.09),
        (1.42, 1.17, -2.50, 1.135, 0.89, 0.42, 0.08),
        (1.30, 1.20, -0.92, 1.15, 0.84, 0.34, 0.12),
        (0.90, 1.45, -0.86, 1.43, 0.77, 0.29, 0.14),
        (0.58, 1.64, -0.78, 1.63, 0.70, 0.25, 0.16),
        (0.36, 1.71, -0.66, 1.70, 0.57, 0.22, 0.18),
        (0.10, 1.74, -0.36, 1.74, 0.0, 0.0, 0.0),
    ),
    axles=(1.62, -1.42),
    wheel=0.40,
    door_start=1.08,
    pillar=0.14,
    door_end=-0.70,
    coupe_end=-0.28,
    boxy=3.4,
)

ESTATE = replace(  # a saloon up to the pillar, whose roof goes on to an upright tailgate
    SEDAN,
    rings=(
        (2.03, 0.21, -2.04, 0.26, 0.80, 0.25, 0.22),
        (2.19, 0.23, -2.18, 0.29, 0.87, 0.40, 0.33),
        (2.28, 0.36, -2.28, 0.42, 0.90, 0.48, 0.40),
        (2.29, 0.53, -2.31, 0.60, 0.91, 0.49, 0.42),
        (2.24, 0.73, -2.28, 0.74, 0.91, 0.54, 0.40),
        (2.08, 0.83, -2.26, 0.86, 0.90, 0.58, 0.37),
        (1.64, 0.91, -2.24, 0.95, 0.885, 0.54, 0.35),
        (1.02, 0.97, -2.22, 1.02, 0.86, 0.42, 0.33),
        (0.90, 1.00, -2.19, 1.07, 0.80, 0.34, 0.31),
        (0.48, 1.23, -2.04, 1.28, 0.73, 0.28, 0.28),
        (0.16, 1.385, -1.88, 1.41, 0.67, 0.24, 0.25),
        (-0.06, 1.45, -1.70, 1.455, 0.53, 0.22, 0.22),
        (-0.30, 1.475, -1.30, 1.47, 0.0, 0.0, 0.0),
    ),
    boxy=3.0,
)

VAN = Style(  # a people carrier: a short hood under a long, steep windscreen, and a high roof
    rings=(
        (2.06, 0.22, -2.02, 0.30, 0.80, 0.24, 0.18),
        (2.20, 0.25, -2.14, 0.32, 0.88, 0.38, 0.28),
        (2.28, 0.40, -2.21, 0.46, 0.92, 0.46, 0.34),
        (2.29, 0.60, -2.23, 0.66, 0.93, 0.48, 0.34),
        (2.22, 0.86, -2.20, 0.84, 0.93, 0.52, 0.30),
        (2.08, 0.97, -2.18, 0.98, 0.925, 0.54, 0.27),
        (1.84, 1.04, -2.17, 1.07, 0.92, 0.50, 0.25),
        (1.48, 1.10, -2.16, 1.14, 0.905, 0.42, 0.23),
        (1.36, 1.14, -2.14, 1.19, 0.87, 0.34, 0.21),
        (0.90, 1.43, -2.06, 1.46, 0.82, 0.29, 0.19),
        (0.46, 1.66, -1.97, 1.68, 0.76, 0.25, 0.18),
        (0.18, 1.75, -1.87, 1.76, 0.62, 0.22, 0.18),
        (-0.10, 1.79, -1.50, 1.79, 0.0, 0.0, 0.0),
    ),
    axles=(1.42, -1.38),
    wheel=0.335,
    door_start=1.05,
    pillar=0.0,
    door_end=-1.06,
    coupe_end=-0.46,
    boxy=3.5,
)

STYLES: dict[str, Style] = {
    "hatchback": HATCHBACK, "sedan": SEDAN, "suv": SUV, "pickup": PICKUP, "estate": ESTATE, "van": VAN,
}  # fmt: skip
USUAL: dict[str, float] = {"hatchback": 0.3, "sedan": 0.32, "suv": 0.2, "pickup": 0.18}
"""How often the cars of data sets have which style."""
VARIED: dict[str, float] = {
    "hatchback": 0.22, "sedan": 0.24, "suv": 0.18, "pickup": 0.14, "estate": 0.12, "van": 0.10,
}  # fmt: skip
"""The same for masks that are fitted to real ones."""


def style_of(name: str) -> Style:
    """The style of that name. Raises ConfigError."""
    if name not in STYLES:
        raise ConfigError(f"no body style named {name!r}", "one of " + ", ".join(STYLES), "choose a listed style")
    return STYLES[name]
