"""Light on the car: sun, sky and what glossy surfaces mirror."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.sources.render.surfaces import Material

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Rgb = tuple[float, float, float]

COLOURS: dict[str, tuple[Rgb, float]] = {
    "white": ((0.90, 0.90, 0.89), 0.26),
    "silver": ((0.66, 0.67, 0.68), 0.16),
    "grey": ((0.36, 0.37, 0.39), 0.14),
    "black": ((0.05, 0.05, 0.055), 0.18),
    "red": ((0.68, 0.06, 0.06), 0.09),
    "blue": ((0.08, 0.20, 0.52), 0.08),
    "brown": ((0.33, 0.22, 0.15), 0.03),
    "orange": ((0.82, 0.34, 0.08), 0.02),
    "green": ((0.10, 0.30, 0.18), 0.02),
    "gold": ((0.66, 0.58, 0.40), 0.02),
}
"""Paints: RGB as seen in diffuse white light, and how common each is."""

# Material -> RGB of the diffuse light it returns, share of light mirrored straight on, strength of mirroring
_LOOKS: dict[Material, tuple[Rgb, float, float]] = {
    Material.GLASS: ((0.07, 0.085, 0.09), 0.10, 0.95),
    Material.SEAM: ((0.03, 0.03, 0.03), 0.02, 0.2),
    Material.PLASTIC: ((0.10, 0.10, 0.105), 0.03, 0.3),
    Material.GRILLE: ((0.06, 0.06, 0.065), 0.05, 0.35),
    Material.CHROME: ((0.50, 0.51, 0.52), 0.55, 0.9),
    Material.HEADLIGHT: ((0.55, 0.58, 0.62), 0.14, 0.9),
    Material.LAMP: ((0.92, 0.94, 0.98), 0.20, 0.9),
    Material.TAILLIGHT: ((0.62, 0.04, 0.05), 0.07, 0.8),
    Material.TAIL_CORE: ((0.85, 0.12, 0.10), 0.07, 0.8),
    Material.PLATE: ((0.86, 0.86, 0.82), 0.03, 0.2),
    Material.INK: ((0.18, 0.18, 0.25), 0.03, 0.2),
    Material.TYRE: ((0.07, 0.07, 0.07), 0.01, 0.15),
    Material.RIM: ((0.62, 0.63, 0.65), 0.15, 0.5),
    Material.RIM_GAP: ((0.06, 0.06, 0.065), 0.02, 0.2),
    Material.DARK: ((0.02, 0.02, 0.02), 0.0, 0.0),
    Material.SEAT: ((0.035, 0.04, 0.045), 0.10, 0.95),
    Material.SILL: ((0.07, 0.07, 0.075), 0.02, 0.2),
}
_PAINTED = (Material.PAINT, Material.BUMPER, Material.MIRROR)


@dataclass(frozen=True)
class Light:
    """``sun``: (3,) unit vector towards it; ``strength``: of the sun, 0 is overcast; RGB of sky, horizon and ground."""

    sun: Floats
    strength: float
    sky: Rgb
    horizon: Rgb
    ground: Rgb


def vertex_light(points: Floats, normals: Floats, eye: Floats, light: Light) -> Floats:
    """(V, 5) of a vertex: ambient light, sunlight, Fresnel share, height of the mirrored ray, its cosine with the sun.

    Computed a vertex and interpolated; the mirrored scene itself is looked up a pixel, so its edges stay sharp.
    """
    view = eye - points
    view /= np.linalg.norm(view, axis=1, keepdims=True)
    facing = np.clip((view * normals).sum(1), 0.0, 1.0)
    mirrored = 2 * facing[:, None] * normals - view
    open_sky = 0.5 + 0.5 * normals[:, 2]
    shade = np.clip(0.35 + 0.9 * points[:, 2], 0.0, 1.0)  # the ground takes light from what is near it
    ambient = shade * (0.42 + 0.58 * open_sky)
    sunlight = light.strength * np.clip(normals @ light.sun, 0.0, 1.0)
    return np.stack([ambient, sunlight, (1 - facing) ** 5, mirrored[:, 2], mirrored @ light.sun], 1)


def shade(materials: NDArray[np.uint8], carried: Singles, looks: Singles, light: Light) -> Singles:
    """(N,) materials and (N, 5) interpolated vertex light -> (N, 3) linear RGB."""
    ambient, sunlight, grazing, height, glint = np.ascontiguousarray(carried.T)
    colour = np.ascontiguousarray(looks[:, :3]).take(materials, 0)
    straight, strength = looks[:, 3].take(materials), looks[:, 4].take(materials)
    table = _surroundings(light)
    seen = table.take(np.clip((height + 1) * (len(table) / 2), 0, len(table) - 1).astype(np.int32), 0)
    colour *= (np.float32(0.78) * ambient + np.float32(0.85) * sunlight)[:, None]
    seen *= (strength * (straight + (1 - straight) * np.clip(grazing, 0, 1)))[:, None]
    colour += seen
    bright = np.flatnonzero(glint > 0.9)  # below that the flash is nothing
    flash = 14 * light.strength * straight[bright] * strength[bright] * np.minimum(glint[bright], 1) ** 120
    colour[bright] += flash[:, None]
    return colour


def looks_of(paint: Rgb, bumper: Rgb, mirror: Rgb, tint: float) -> Singles:
    """(256, 5) look of each material: linear RGB, share mirrored straight on, strength of mirroring."""
    looks = np.zeros((256, 5), np.float32)
    for material, (colour, straight, strength) in _LOOKS.items():
        looks[material] = (*np.square(colour), straight, strength)
    for material, colour in zip(_PAINTED, (paint, bumper, mirror), strict=True):
        looks[material] = (*np.square(colour), 0.08, 0.9)
    looks[Material.CREASE] = (*(0.55 * np.square(paint)), 0.08, 0.85)
    looks[Material.GLASS, :3] *= 2.2 * (1 - tint) + 0.2
    return looks


def _surroundings(light: Light) -> Singles:
    """(512, 3) linear RGB that a mirrored ray of height -1..1 meets: ground, dark things on the horizon, sky."""
    height = np.linspace(-1, 1, 512)[:, None]
    ground = np.square(light.ground) * (0.75 + 0.25 * np.clip(-height * 3, 0, 1))
    sky = np.square(light.horizon) + (np.square(light.sky) - np.square(light.horizon)) * np.sqrt(np.clip(height, 0, 1))
    things = np.square(light.ground) * 0.35
    above = np.clip((height - 0.10) / 0.06, 0, 1)
    below = np.clip((height + 0.02) / 0.03, 0, 1)
    return np.asarray((ground * (1 - below) + things * below) * (1 - above) + sky * 1.1 * above, np.float32)
