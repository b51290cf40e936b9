"""One rendered car: the photo, the part mask and the silhouette that its parameters stand for."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.classes import CarClass, orientation_of
from augkit.core.errors import ConfigError
from augkit.core.parts import Mask, PartSchema
from augkit.data.orientation import classify
from augkit.data.pair import Pair
from augkit.sources.render.body_styles import style_of
from augkit.sources.render.camera import Camera, look
from augkit.sources.render.layout import paint_atlas
from augkit.sources.render.lighting import COLOURS, Light, Rgb, looks_of, shade, vertex_light
from augkit.sources.render.mesh import Mesh, car_mesh
from augkit.sources.render.parameters import CarParameters, check
from augkit.sources.render.raster import Triangles, Visible, rasterise
from augkit.sources.render.scene import background, shadow
from augkit.sources.render.shape import shape_of
from augkit.sources.render.surfaces import SCHEMA

Singles = NDArray[np.float32]

SMALLEST = 16

_FINE = 512
"""Cars are drawn on at least about this many pixels a side and averaged down."""

_BLACK: Rgb = (0.11, 0.11, 0.115)


@dataclass(frozen=True)
class Rendering:
    """A car of S pixels: the pair, and its (S, S) ``silhouette``.

    The class is the true orientation with the doors that are in sight. The silhouette is the whole car, parts without a
    label such as the roof too: 1 on it, 0 beside it.
    """

    pair: Pair
    silhouette: Mask


def render_schema() -> PartSchema:
    """The part schema of rendered cars: that of the real data set, in its order."""
    return SCHEMA


def render_car(parameters: CarParameters, size: int) -> Pair:
    """Photo and part mask of a car. Raises ConfigError; see ``render``."""
    return render(parameters, size).pair


def render_silhouette(parameters: CarParameters, size: int) -> Mask:
    """(size, size) whole car: 1 on it, 0 beside it. Raises ConfigError; see ``render``."""
    return render(parameters, size).silhouette


def render(parameters: CarParameters, size: int) -> Rendering:
    """Draws a car. The same parameters give the same bytes.

    Raises ConfigError where the size is too small, a style, colour or background is unknown, or a number out of range.
    """
    if size < SMALLEST:
        raise ConfigError(f"a picture of {size} pixels", f"at least {SMALLEST}", "ask for a larger size")
    check(parameters)
    factor = max(2, round(_FINE / size))
    shape = shape_of(style_of(parameters.style), parameters.doors, parameters.proportions)
    atlas, mesh = paint_atlas(shape, parameters.style, parameters.details), car_mesh(shape)
    camera, light = _camera(parameters, mesh, size), _light(parameters)
    visible = _visible(camera.zoomed(factor), mesh, atlas.materials, light, size * factor)
    place = visible.attributes[:, :2].astype(np.int32)
    flat = place[:, 1] * atlas.parts.shape[1] + place[:, 0]
    colours = shade(atlas.materials.take(flat), visible.attributes[:, 2:], _looks(parameters), light)
    rng = np.random.default_rng(parameters.seed)
    behind = background(parameters.background, size, camera.horizon(), light, rng)
    behind = behind * shadow(camera, mesh.points, light, size)[..., None]
    photo = _develop(parameters, _layer(visible.pixels, colours, size, factor), behind, rng)
    mask = _coarse(visible.pixels, atlas.parts.take(flat), size, factor)
    car_class = CarClass(orientation_of(parameters.azimuth), classify(mask, SCHEMA).doors)
    silhouette = _coarse(visible.pixels, np.ones(len(flat), np.uint8), size, factor)
    return Rendering(Pair(photo, mask, car_class), silhouette)


def _camera(parameters: CarParameters, mesh: Mesh, size: int) -> Camera:
    camera = look(parameters.azimuth, parameters.elevation, parameters.distance, np.array([0.0, 0.0, 0.7]))
    return camera.framed(mesh.points, size, parameters.fill, parameters.shift)


def _light(parameters: CarParameters) -> Light:
    turn, rise = np.radians(parameters.sun_azimuth), np.radians(parameters.sun_elevation)
    sun = np.array([np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)])
    return Light(sun, parameters.sun_strength, parameters.sky, parameters.horizon, parameters.ground)


def _visible(camera: Camera, mesh: Mesh, materials: NDArray[np.uint8], light: Light, side: int) -> Visible:
    flat, nearness = camera.project(mesh.points)
    carried = vertex_light(mesh.points, mesh.normals, camera.position, light)
    values = np.concatenate([mesh.places, carried], 1).astype(np.float32)
    index = mesh.triangles
    return rasterise(Triangles(flat[index], nearness[index], values[index], mesh.pierced), materials, side)


def _looks(parameters: CarParameters) -> Singles:
    red, green, blue = (min(channel * parameters.tone, 0.97) for channel in COLOURS[parameters.colour][0])
    paint = (red, green, blue)
    bumpers = paint if parameters.painted_bumpers else _BLACK
    return looks_of(paint, bumpers, paint if parameters.painted_mirrors else _BLACK, parameters.tint)


def _layer(pixels: NDArray[np.int64], colours: Singles, size: int, factor: int) -> Singles:
    """(size, size, 4) the car's linear RGB averaged over fine pixels, and the share of each pixel that it covers."""
    side = size * factor
    layer = np.zeros((side * side, 4), np.float32)
    layer[pixels, :3], layer[pixels, 3] = colours, 1.0
    return np.asarray(cv2.resize(layer.reshape(side, side, 4), (size, size), interpolation=cv2.INTER_AREA))


def _develop(parameters: CarParameters, layer: Singles, behind: Singles, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A photo of the car before its background: exposure, white balance, blur, noise."""
    picture = layer[..., :3] + behind * (1 - layer[..., 3:])
    picture *= parameters.exposure * np.array([1 + parameters.warmth, 1.0, 1 - parameters.warmth], np.float32)
    picture = np.sqrt(np.clip(picture, 0, None))
    if parameters.blur > 0:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), max(parameters.blur * len(picture) / 256, 0.15)))
    picture = picture + rng.standard_normal(picture.shape, np.float32) * np.float32(parameters.noise)
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)


def _coarse(pixels: NDArray[np.int64], labels: Mask, size: int, factor: int) -> Mask:
    """One label a coarse pixel: that of the middle fine pixel, or the most frequent of the middle four."""
    fine = np.zeros((size * factor, size * factor), np.uint8)
    fine.reshape(-1)[pixels] = labels
    half = factor // 2
    if factor % 2:
        return np.ascontiguousarray(fine[half::factor, half::factor])
    a, b, c, d = (np.ascontiguousarray(fine[half - i :: factor, half - j :: factor]) for i in (0, 1) for j in (0, 1))
    a, b, c, d = np.minimum(a, b), np.maximum(a, b), np.minimum(c, d), np.maximum(c, d)
    a, c, b, d = np.minimum(a, c), np.maximum(a, c), np.minimum(b, d), np.maximum(b, d)
    b, c = np.minimum(b, c), np.maximum(b, c)  # now a <= b <= c <= d, wherever they lay: mirror images agree
    return np.where(a == b, a, np.where(b == c, b, np.where(c == d, c, a)))
