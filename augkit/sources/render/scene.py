"""What is round the car: background, ground, and the car's shadow on it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import ConfigError
from augkit.sources.render.camera import Camera
from augkit.sources.render.lighting import Light, Rgb

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Draw = Callable[[int, float, Light, np.random.Generator], Singles]


def background(kind: str, side: int, horizon: float, light: Light, rng: np.random.Generator) -> Singles:
    """(side, side, 3) linear RGB behind the car. ``horizon`` is a row. Raises ConfigError for an unknown kind."""
    if kind not in BACKGROUNDS:
        raise ConfigError(
            f"no background named {kind!r}", "one of " + ", ".join(BACKGROUNDS), "choose a listed background"
        )
    return np.asarray(np.square(np.clip(BACKGROUNDS[kind](side, horizon, light, rng), 0, 1)), np.float32)


def shadow(camera: Camera, points: Floats, light: Light, side: int) -> Singles:
    """(side, side) share of light that reaches the ground: the car's contact shadow, and the one that the sun casts."""
    footprint = points[points[:, 2] < 0.75] * [1.0, 1.0, 0.0]
    contact = _spot(camera, footprint, side, side / 45)
    near = _spot(camera, footprint * [0.97, 0.93, 1.0], side, side / 110)
    cast = points - points[:, 2:] * (light.sun / max(float(light.sun[2]), 0.3))
    cast[:, 2] = 0.0
    dark = 1 - light.strength * 0.6 * _spot(camera, cast, side, side / 200)
    return np.asarray(dark * (1 - 0.45 * contact) * (1 - 0.55 * near), np.float32)


def _spot(camera: Camera, points: Floats, side: int, blur: float) -> Singles:
    flat, nearness = camera.project(points)
    spot = np.zeros((side, side), np.float32)
    seen = np.clip(flat[nearness > 0], -8 * side, 8 * side).astype(np.float32)
    cv2.fillConvexPoly(spot, np.round(cv2.convexHull(seen) * 16).astype(np.int32), 1.0, cv2.LINE_8, 4)
    return np.asarray(cv2.GaussianBlur(spot, (0, 0), max(blur, 0.3)), np.float32)


def _studio(side: int, horizon: float, _light: Light, rng: np.random.Generator) -> Singles:
    """A bright room without corners."""
    tone = rng.uniform(0.55, 0.97) * (1 + rng.uniform(-0.03, 0.03, 3))
    y = np.linspace(0, 1, side)[:, None, None]
    floor = horizon / side + rng.uniform(0.02, 0.15)
    picture = tone * (1 - 0.18 * np.abs(y - floor) - rng.uniform(0.0, 0.12) / (1 + np.exp(-(y - floor) * 25)))
    return np.broadcast_to(picture, (side, side, 3)).astype(np.float32)


def _plain(side: int, _horizon: float, _light: Light, rng: np.random.Generator) -> Singles:
    """One colour."""
    tone = rng.uniform(0.3, 1.0) * (1 + rng.uniform(-0.08, 0.08, 3))
    return np.broadcast_to(tone, (side, side, 3)).astype(np.float32).copy()


def _field(side: int, horizon: float, light: Light, rng: np.random.Generator) -> Singles:
    """Sky, a row of trees, and open ground."""
    picture = _ground(side, horizon, light, rng)
    top = _outline(side, rng, 5) * rng.uniform(0.06, 0.22) * side
    rows = np.arange(side)[:, None]
    trees = (rows < horizon + 1) & (rows > horizon - top[None, :])
    green = np.array([0.24, 0.32, 0.18]) * rng.uniform(0.6, 1.3)
    picture[trees] = (green * (0.6 + 0.8 * noise(side, rng, side // 3)[..., None]))[trees]
    return picture


def _street(side: int, horizon: float, light: Light, rng: np.random.Generator) -> Singles:
    """Buildings as blocks with rows of windows."""
    picture = _ground(side, horizon, light, rng)
    base = int(np.clip(horizon + rng.uniform(0.0, 0.05) * side, 1, side))
    left = -rng.uniform(0, 0.2) * side
    while left < side:
        right = left + rng.uniform(0.15, 0.5) * side
        top = int(base - rng.uniform(0.12, 0.75) * side)
        box = slice(max(top, 0), base), slice(int(max(left, 0)), int(min(right, side)))
        wall = rng.uniform(0.3, 0.8) * (1 + rng.uniform(-0.12, 0.12, 3))
        picture[box] = wall
        step = max(int(rng.uniform(0.05, 0.12) * side), 3)
        for y in range(max(top, -side) + step // 3, base - step // 2, step):
            for x in range(int(left) + step // 3, int(right) - step // 2, step):
                picture[max(y, 0) : max(y + step // 2, 0), max(x, 0) : max(x + step // 2, 0)] = wall * 0.5
        left = right + rng.uniform(-0.02, 0.1) * side
    return picture


def _wall(side: int, horizon: float, light: Light, rng: np.random.Generator) -> Singles:
    """A wall near behind the car."""
    picture = _ground(side, horizon, light, rng)
    foot = int(np.clip(horizon + rng.uniform(0.03, 0.12) * side, 1, side))
    colour = rng.uniform(0.35, 0.85) * (1 + rng.uniform(-0.1, 0.1, 3))
    grain = noise(side, rng, 6)[..., None] * 0.2 + noise(side, rng, side // 2)[..., None] * 0.1 + 0.85
    picture[:foot] = (colour * grain)[:foot]
    step = max(int(rng.uniform(0.06, 0.2) * side), 4)
    if rng.random() < 0.6:
        picture[:foot][step // 2 :: step] *= 0.8
    return picture


def _blur(side: int, horizon: float, light: Light, rng: np.random.Generator) -> Singles:
    """Out-of-focus patches of colour."""
    cells = rng.uniform(0.15, 0.85, (5, 5, 1)) * (1 + rng.uniform(-0.12, 0.12, (5, 5, 3)))
    picture = cv2.resize(cells.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    floor = _ground(side, horizon, light, rng)
    foot = int(np.clip(horizon + 0.05 * side, 0, side))
    picture[foot:] = floor[foot:]
    return np.asarray(picture)


BACKGROUNDS: dict[str, Draw] = {
    "plain": _plain,
    "studio": _studio,
    "field": _field,
    "street": _street,
    "wall": _wall,
    "blur": _blur,
}


def _ground(side: int, horizon: float, light: Light, rng: np.random.Generator) -> Singles:
    """Sky above the horizon, rough ground below; the roughness grows towards the camera."""
    rows = np.arange(side, dtype=np.float64)[:, None]
    height = np.clip((horizon - rows) / side * 1.6, 0, 1) ** 0.6
    sky = _mix(light.horizon, light.sky, height)
    depth = np.clip((rows - horizon) / side, 0, 1)
    rough = 1 + (noise(side, rng, side // 2) - 0.5) * 0.2 + (noise(side, rng, 7) - 0.5) * 0.12
    ground = np.asarray(light.ground) * (rough * (0.9 + 0.25 * depth))[..., None]
    below = np.clip(rows - horizon, 0, 1)[..., None]
    return np.asarray(sky * (1 - below) + ground * below, np.float32)


def _mix(start: Rgb, stop: Rgb, share: Floats) -> Floats:
    return np.asarray(np.asarray(start) + (np.asarray(stop) - np.asarray(start)) * share[..., None])


def noise(side: int, rng: np.random.Generator, cells: int) -> Singles:
    """(side, side) smooth noise in 0..1 with about ``cells`` bumps across."""
    grid = rng.random((max(cells, 2), max(cells, 2)), np.float32)
    return np.asarray(cv2.resize(grid, (side, side), interpolation=cv2.INTER_LINEAR))


def _outline(side: int, rng: np.random.Generator, octaves: int) -> Floats:
    """(side,) uneven heights in 0..1."""
    x = np.linspace(0, 1, side)
    heights = np.zeros(side)
    for octave in range(octaves):
        bumps = 3 * 2**octave
        heights += np.interp(x * bumps, np.arange(bumps + 2), rng.random(bumps + 2)) / 2**octave
    return np.asarray(heights / 2)
