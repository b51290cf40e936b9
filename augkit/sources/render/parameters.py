"""The parameters of a rendered car, and how they are drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from augkit.core.classes import ORIENTATIONS, Orientation
from augkit.core.errors import ConfigError
from augkit.sources.render.body_styles import USUAL
from augkit.sources.render.lighting import COLOURS, Rgb
from augkit.sources.render.scene import BACKGROUNDS
from augkit.sources.render.shape import Proportions
from augkit.sources.render.surfaces import Details

KnownDoors = Literal["3", "5"]


@dataclass(frozen=True)
class CarParameters:
    """Everything that a rendered car depends on. Angles in degrees, lengths in metres, colours RGB in 0..1.

    ``azimuth`` is that of ``core.classes``, ``sun_azimuth`` is measured alike; ``fill`` is the share of the picture
    that the car spans, ``shift`` where it is in the room that is left (-1..1, right and down); ``tone`` multiplies the
    colour, ``tint`` (0..1) darkens the windows, ``blur`` is in pixels of a 256-pixel picture, ``noise`` a share of
    white; ``seed`` draws background and noise.
    """

    azimuth: float = 45.0
    elevation: float = 10.0
    distance: float = 7.0
    fill: float = 0.86
    shift: tuple[float, float] = (0.0, 0.0)
    style: str = "hatchback"
    doors: KnownDoors = "5"
    proportions: Proportions = field(default_factory=Proportions)
    details: Details = field(default_factory=Details)
    colour: str = "silver"
    tone: float = 1.0
    painted_bumpers: bool = True
    painted_mirrors: bool = True
    tint: float = 0.5
    background: str = "studio"
    sun_azimuth: float = 60.0
    sun_elevation: float = 45.0
    sun_strength: float = 0.7
    sky: Rgb = (0.45, 0.62, 0.88)
    horizon: Rgb = (0.85, 0.88, 0.92)
    ground: Rgb = (0.45, 0.44, 0.43)
    exposure: float = 1.0
    warmth: float = 0.0
    blur: float = 0.3
    noise: float = 0.01
    seed: int = 0

    @property
    def mirrored(self) -> CarParameters:
        """The car whose masks are the mirror image of this one's."""
        shift = (-self.shift[0], self.shift[1])
        return replace(self, azimuth=-self.azimuth % 360, sun_azimuth=-self.sun_azimuth % 360, shift=shift)


def random_parameters(
    rng: np.random.Generator, orientation: Orientation | None = None, doors: KnownDoors | None = None,
    styles: Mapping[str, float] = USUAL,
) -> CarParameters:  # fmt: skip
    """A car as it might be met, drawn from ``rng``; seen from ``orientation``, with ``doors``, if given. ``styles``
    says how often each is met."""
    quadrant = ORIENTATIONS.index(orientation if orientation is not None else rng.choice(np.array(ORIENTATIONS)))
    chosen: KnownDoors = doors if doors is not None else ("3" if rng.random() < 0.5 else "5")
    style = str(rng.choice(list(styles), p=list(styles.values())))
    names, shares = list(COLOURS), np.array([share for _, share in COLOURS.values()])
    overcast = rng.random() < 0.35
    sky_tone = rng.uniform(0.8, 1.0)
    sky = (0.80, 0.83, 0.87) if overcast else (rng.uniform(0.30, 0.5), rng.uniform(0.52, 0.68), rng.uniform(0.8, 0.95))
    ground = rng.uniform(0.3, 0.62) * (1 + rng.uniform(-0.08, 0.08, 3)) * np.array([1.03, 1.0, 0.95])
    return CarParameters(
        azimuth=float(90 * quadrant + rng.uniform(2.0, 88.0)),
        elevation=float(2.5 + 22.5 * rng.beta(1.1, 4.2)),
        distance=float(rng.uniform(4.5, 8.5)),
        fill=float(rng.uniform(0.78, 0.94)),
        shift=(float(rng.uniform(-0.7, 0.7)), float(rng.uniform(-0.4, 0.6))),
        style=style,
        doors=chosen,
        proportions=_random_proportions(rng, short=chosen == "3" and style in ("hatchback", "suv")),
        details=_random_details(rng),
        colour=str(rng.choice(names, p=shares / shares.sum())),
        tone=float(rng.uniform(0.85, 1.12)),
        painted_bumpers=bool(rng.random() < 0.9),
        painted_mirrors=bool(rng.random() < 0.8),
        tint=float(rng.uniform(0.2, 1.0)),
        background=str(rng.choice(list(BACKGROUNDS))),
        sun_azimuth=float(rng.uniform(0, 360)),
        sun_elevation=float(rng.uniform(25, 70)),
        sun_strength=float(rng.uniform(0.0, 0.2) if overcast else rng.uniform(0.5, 1.0)),
        sky=(sky_tone * sky[0], sky_tone * sky[1], sky_tone * sky[2]),
        horizon=(0.86 * sky_tone, 0.88 * sky_tone, 0.91 * sky_tone),
        ground=(float(ground[0]), float(ground[1]), float(ground[2])),
        exposure=float(rng.uniform(0.85, 1.2)),
        warmth=float(rng.normal(0, 0.03)),
        blur=float(rng.uniform(0.0, 0.6)),
        noise=float(rng.uniform(0.003, 0.02)),
        seed=int(rng.integers(2**31)),
    )


def _random_proportions(rng: np.random.Generator, short: bool) -> Proportions:
    """``short`` is for bodies that are shorter where they have three doors."""
    return Proportions(
        length=float(rng.uniform(0.94, 1.07)) * (0.93 if short else 1.0),
        width=float(rng.uniform(0.95, 1.05)),
        height=float(rng.uniform(0.94, 1.06)),
        clearance=float(rng.uniform(-0.03, 0.05)),
        hood=float(rng.uniform(-0.04, 0.05)),
        rake=float(rng.uniform(-0.08, 0.10)),
        tail=float(rng.uniform(-0.10, 0.10)),
        wheel=float(rng.uniform(0.96, 1.07)),
        boxy=float(rng.uniform(-0.25, 0.6)),
        mirror=float(rng.uniform(0.9, 1.15)),
    )


def _random_details(rng: np.random.Generator) -> Details:
    sweep, slim, grille, grille_width, plate, spoke_width = (float(value) for value in rng.random(6))
    spokes = int(rng.choice([5, 5, 6, 7, 8, 10, 12]))
    return Details(sweep, slim, grille, grille_width, plate, spokes, spoke_width, bool(rng.random() < 0.6))


def check(parameters: CarParameters) -> None:
    """Raises ConfigError where doors, colour or a number is none that can be drawn."""
    if parameters.doors not in get_args(KnownDoors):
        raise ConfigError(f"{parameters.doors!r} doors", "3 or 5", "choose one of them")
    if parameters.colour not in COLOURS:
        raise ConfigError(f"no colour {parameters.colour!r}", "one of " + ", ".join(COLOURS), "choose a listed colour")
    for name, value, low, high in (
        ("azimuth", parameters.azimuth, -360.0, 720.0),
        ("elevation", parameters.elevation, 0.0, 60.0),
        ("distance", parameters.distance, 4.0, 100.0),
        ("fill", parameters.fill, 0.1, 1.0),
    ):
        if not low <= value <= high:
            raise ConfigError(f"{name} {value}", f"{low:g} .. {high:g}", f"choose the {name} in this range")
