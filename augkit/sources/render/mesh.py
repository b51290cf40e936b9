"""Triangles of a car: body, wheels, mirrors, the dark inside; each vertex has a normal and a place in the atlas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from augkit.sources.render.atlas import AtlasSheet
from augkit.sources.render.shape import Shape

Floats = NDArray[np.float64]

_CAP, _FLANK = 12, 20
"""Columns of half a rounded end, and of a flat side."""

_FACE = 7
_WHEEL = (
    (0.0, -0.03, 1.0),
    (0.30, -0.02, 1.0),
    (0.66, -0.03, 1.0),
    (0.70, 0.0, 0.9),
    (0.86, 0.012, 1.0),
    (0.96, -0.005, 0.75),
    (1.0, -0.04, 0.3),
    (1.0, -1.0, 0.0),
    (0.0, -1.0, -1.0),
)
"""Radius (1 = the tyre's), depth in metres (-1 = the back of the tyre), outward share of the normal; first the face."""


@dataclass(frozen=True)
class Mesh:
    """``points``, ``normals`` (V, 3), ``places`` (V, 2) in the atlas, ``triangles`` (T, 3).

    Triangles run counter-clockwise seen from outside. Where ``pierced`` (T,) is set, the atlas may hold holes.
    """

    points: Floats
    normals: Floats
    places: Floats
    triangles: NDArray[np.int64]
    pierced: NDArray[np.bool_]


def car_mesh(shape: Shape) -> Mesh:
    """All triangles of a car."""
    meshes = [body(shape), inside(shape)]
    for axle in shape.axles:
        meshes += [wheel(shape, axle, 1), wheel(shape, axle, -1)]
    return join([*meshes, mirror(shape, 1), mirror(shape, -1)])


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one."""
    starts = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.places for mesh in meshes]),
        np.concatenate([mesh.triangles + start for mesh, start in zip(meshes, starts[:-1], strict=True)]),
        np.concatenate([mesh.pierced for mesh in meshes]),
    )


def body(shape: Shape) -> Mesh:
    """The shell. Every ring runs from the middle of the front over the left side to the back and on to the front."""
    half, share = _half_ring(shape)
    other = half[:, -2:0:-1] * [1.0, -1.0, 1.0]
    ring = np.concatenate([half, other], 1)
    normals = _grid_normals(ring)
    normals[-1] = (0.0, 0.0, 1.0)  # the crown is a line: no cross product there
    ends = (_CAP, _CAP + _FLANK, half.shape[1] - 1)
    whole = 2 * ends[2]
    row = np.broadcast_to(shape.row[:, None], share.shape)
    strips = []
    for sheet, start, stop in (
        (AtlasSheet.FRONT, -ends[0], ends[0]),
        (AtlasSheet.LEFT, ends[0], ends[1]),
        (AtlasSheet.BACK, ends[1], whole - ends[1]),
        (AtlasSheet.RIGHT, whole - ends[1], whole - ends[0]),
    ):
        columns = np.arange(start, stop + 1)
        signed = np.where(columns % whole <= ends[2], 1.0, -1.0)
        within = np.minimum(columns % whole, whole - columns % whole)
        chosen = ring[:, columns % whole]
        if sheet in (AtlasSheet.LEFT, AtlasSheet.RIGHT):
            places = sheet.place(chosen[..., 0], chosen[..., 2])
        else:
            places = sheet.place(share[:, within] * signed, row[:, within])
        strips.append(
            _grid_mesh(chosen, normals[:, columns % whole], places, sheet in (AtlasSheet.LEFT, AtlasSheet.RIGHT))
        )
    return join(strips)


def inside(shape: Shape) -> Mesh:
    """A dark box in the body, so that nobody looks through the wheel arches."""
    low, high = shape.row_at(0), shape.row_at(4)
    front, back = shape.axles[0] + shape.wheel + 0.06, shape.axles[1] - shape.wheel - 0.06
    width = shape.track - shape.tyre - 0.03
    bottom, top = low[1] + 0.04, high[1] - 0.06
    xs, zs = np.meshgrid(np.linspace(front, back, 9), np.linspace(bottom, top, 5))
    side = np.stack([xs, np.full_like(xs, width), zs], -1)
    ring = np.concatenate([side, side[:, ::-1] * [1.0, -1.0, 1.0]], 1)
    ring = np.concatenate([ring, ring[:, :1]], 1)
    places = AtlasSheet.INSIDE.place(np.full(ring.shape[:2], 0.5), np.full(ring.shape[:2], 0.5))
    return _grid_mesh(ring, _grid_normals(ring[:, :-1])[:, [*range(ring.shape[1] - 1), 0]], places, False)


def wheel(shape: Shape, axle: float, side: int) -> Mesh:
    """One wheel: a tyre with a bulging wall round a dished rim, closed at the back."""
    turn = np.linspace(0, 2 * np.pi, 33)
    profile = np.asarray(_WHEEL)
    radius, depth, outward = (profile[:, i, None] for i in range(3))
    depth = np.where(depth < -0.1, -shape.tyre, depth)
    tangent = np.sqrt(1 - outward**2)
    points = np.stack(np.broadcast_arrays(-radius * np.sin(turn) * side, depth * side, radius * np.cos(turn)), -1)
    points = points * [shape.wheel, 1.0, shape.wheel] + [axle, shape.track * side, shape.wheel]
    normals = np.stack(np.broadcast_arrays(-tangent * np.sin(turn) * side, outward * side, tangent * np.cos(turn)), -1)
    face = AtlasSheet.WHEEL.place(radius * np.sin(turn), -radius * np.cos(turn))
    split = _FACE - 1
    rubber = np.broadcast_to(AtlasSheet.TYRE.place(np.array(0.5), np.array(0.5)), face[split:].shape)
    return join(
        [
            _grid_mesh(points[:_FACE], normals[:_FACE], face[:_FACE], False),
            _grid_mesh(points[split:], normals[split:], rubber, False),
        ]
    )


def mirror(shape: Shape, side: int) -> Mesh:
    """One outside mirror: a rounded box at the foot of the windscreen's pillar."""
    sheet = AtlasSheet.LEFT_MIRROR if side > 0 else AtlasSheet.RIGHT_MIRROR
    turn, rise = np.linspace(0, 2 * np.pi, 17), np.linspace(-np.pi / 2, np.pi / 2, 9)
    flat = _squared(np.cos(rise))[:, None]
    upward = _squared(np.sin(rise))[:, None]
    unit = np.stack(
        np.broadcast_arrays(flat * _squared(np.cos(turn)), flat * _squared(np.sin(turn)) * side, upward), -1
    )
    if side < 0:  # the mirrored grid would be inside out
        unit = unit[:, ::-1]
    size = np.array([0.07, 0.125, 0.085]) * shape.mirror_scale
    normals = unit / size
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    x, y, z = shape.mirror_place
    places = sheet.place(np.full(unit.shape[:2], 0.5), np.full(unit.shape[:2], 0.5))
    return _grid_mesh(unit * size + [x, y * side, z], normals, places, False)


def _squared(value: Floats) -> Floats:
    """Pushes a unit circle's coordinates towards a square."""
    return np.asarray(np.sign(value) * np.abs(value) ** 0.6)


def _half_ring(shape: Shape) -> tuple[Floats, Floats]:
    """(R, C, 3) points of the rings' left halves, front to back, and (R, C) the share of the end passed (1 = side)."""
    front_x, front_z, back_x, back_z, width, front_cap, back_cap = shape.rings.T
    front, share_front = _end(front_x, front_cap, width, shape.boxy)
    back, share_back = _end(-back_x, back_cap, width, shape.boxy + 0.4)
    back = back[:, ::-1] * [-1.0, 1.0]
    start, stop = front[:, -1:], back[:, :1]
    steps = np.linspace(0, 1, _FLANK + 1)[1:-1, None]
    flank = start + (stop - start) * steps
    flat = np.concatenate([front, flank, back], 1)
    share = np.concatenate([share_front, np.ones(flank.shape[:2]), share_back[:, ::-1]], 1)
    along = (flat[..., 0] - back_x[:, None]) / (front_x - back_x)[:, None]
    height = back_z[:, None] + (front_z - back_z)[:, None] * along
    return np.concatenate([flat, height[..., None]], -1), share


def _end(reach: Floats, depth: Floats, width: Floats, power: float) -> tuple[Floats, Floats]:
    """(R, C, 2) quarter superellipses from the middle of an end to its side, and their (R, C) shares of arc length."""
    angle = np.linspace(0, np.pi / 2, _CAP + 1) ** 1.15
    angle *= np.pi / 2 / angle[-1]
    x = (reach - depth)[:, None] + depth[:, None] * np.cos(angle).clip(0) ** (2 / power)
    y = width[:, None] * np.sin(angle) ** (2 / power)
    length = np.cumsum(np.hypot(np.diff(x, axis=1), np.diff(y, axis=1)), 1)
    share = np.concatenate([np.zeros((len(x), 1)), length / np.maximum(length[:, -1:], 1e-9)], 1)
    return np.stack([x, y], -1), share


def _grid_normals(ring: Floats) -> Floats:
    """(R, C, 3) unit normals of a grid with closed columns; outwards where rings run front, left, back, right."""
    along = np.roll(ring, -1, 1) - np.roll(ring, 1, 1)
    normals = np.cross(along, np.gradient(ring, axis=0))
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12))


def _grid_mesh(points: Floats, normals: Floats, places: Floats, pierced: bool) -> Mesh:
    """Two triangles a cell; counter-clockwise from outside where columns run anticlockwise and rows upwards."""
    rows, columns = points.shape[:2]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    return Mesh(
        points.reshape(-1, 3),
        normals.reshape(-1, 3),
        places.reshape(-1, 2),
        triangles,
        np.full(len(triangles), pierced),
    )
