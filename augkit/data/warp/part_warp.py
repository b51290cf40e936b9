"""The part warp: a photo moved onto another mask, every part to where that mask has it.

The result is what exemplar-based translation starts from (Zhang et al. 2020 learn this correspondence; part masks give
it): real paint and texture in the wanted places, with smears where shapes differ, for a network to repair.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.parts import BACKGROUND, IGNORE, Mask
from augkit.data.crop import Photo
from augkit.data.warp.trust import rigidity

_SPECK = 1 / 4000
"""Connected pieces of a part below this share of the picture are not matched by themselves."""

_SEAM, _REACH = 1 / 100, 1 / 16
"""Standard deviations, in sides of the picture: of the blur across the seams of parts, and of how far the background
follows the parts."""

_LOOSE = 1 / 64
"""In sides of the picture: a place as near as this to the right part stays. Outlines are no more exact than that, and a
seam that is put right pixel by pixel is ragged."""

_BESIDE = 1 / 50
"""In sides of the picture: as far beside the box of its parts a car reaches."""

_FOREIGN = 1 / 2
"""Trust in what comes from another car, in comparison."""

_BLUR_REACH = 6
"""In standard deviations: no farther does a blur look."""

Field = NDArray[np.float32]


@dataclass(frozen=True)
class WarpedPhoto:
    """``photo`` (H, W, 3) as moved onto the mask; ``valid`` (H, W) is false where it does not show the mask's part.

    ``trust`` (H, W) in 0..1 is 0 there, and small where the photo was stretched or torn.
    """

    photo: Photo
    valid: NDArray[np.bool_]
    trust: NDArray[np.float32]

    def filled(self, other: WarpedPhoto) -> WarpedPhoto:
        """With the other's pixels where only those are valid, in this one's light: shifted by what the mean colours of
        the pixels differ that are valid in both."""
        missing, shared = ~self.valid & other.valid, self.valid & other.valid
        if not missing.any():
            return self
        shift = self.photo[shared].mean(0) - other.photo[shared].mean(0) if shared.any() else np.zeros(3)
        photo, trust = self.photo.copy(), self.trust.copy()
        trust[missing] = other.trust[missing] * _FOREIGN
        photo[missing] = np.clip(other.photo[missing] + shift, 0, 255).round()
        return WarpedPhoto(photo, self.valid | missing, trust)

    def without(self, hidden: NDArray[np.bool_]) -> WarpedPhoto:
        """With ``hidden`` (H, W) pixels not valid."""
        return WarpedPhoto(self.photo, self.valid & ~hidden, np.where(hidden, np.float32(0), self.trust))


@dataclass(frozen=True)
class _Box:
    """A piece's extent in pixels, ends included."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """In pixels."""
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    @property
    def window(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.bottom + 1), slice(self.left, self.right + 1)

    def distance(self, other: _Box) -> int:
        """Between the centres: horizontal and vertical together, in half pixels."""
        across = self.left + self.right - other.left - other.right
        return abs(across) + abs(self.top + self.bottom - other.top - other.bottom)


@dataclass(frozen=True)
class _Piece:
    """A connected piece of a part: its box, and which pixels of that are its own."""

    box: _Box
    pixels: NDArray[np.bool_]


def part_warp(
    photo: Photo, source: Mask, target: Mask, body: int | None = None, trust: NDArray[np.float32] | None = None
) -> WarpedPhoto:
    """The (H, W, 3) photo of the mask ``source`` (H, W), moved onto the mask ``target`` of the same size.

    Each connected piece of a part is stretched from its own bounding box to that of its counterpart, the background is
    scaled with the whole car, but ends where the photo ends; a pixel that would then show another part takes one of its
    own part. A part that the photo does not show gets the mean colour of its car and is not ``valid``. What is ignored
    in ``target`` counts as background; what is ignored in ``source`` is never shown.
    The part ``body`` goes with the parts beside it: its pieces hang together in other ways on every car.
    ``trust`` (H, W) is that in the photo, 1 everywhere if None.
    """
    wanted = np.where(target == IGNORE, BACKGROUND, target)
    places = _smooth(_offsets(source, wanted, body), wanted, body) + _grid(wanted.shape)
    places = np.clip(places, 0, np.array(wanted.shape[::-1], np.float32) - 1)
    valid, torn = _snap(places, source, wanted)
    moved = cv2.remap(photo, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    warped = np.asarray(moved, np.uint8)
    _mend(warped, torn, wanted)
    if not valid.all():
        warped[~valid] = car_colour(photo, source).round()
    own = rigidity(places)
    if trust is not None:
        own *= cv2.remap(trust, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return WarpedPhoto(warped, valid, np.where(valid, own, np.float32(0)))


def _offsets(source: Mask, target: Mask, body: int | None) -> Field:
    """(H, W, 2): how far from each pixel of the target its counterpart lies, x before y."""
    grid = _grid(target.shape)
    extents = _extent(_car(source)), _extent(_car(target))
    offsets = _scene(*extents, grid) - grid
    if body is not None:
        whole = target == body
        offsets[whole] = _stretch(*extents, grid[whole]) - grid[whole]
    parts = np.intersect1d(target[_car(target)], source[_car(source)])
    for part in parts if body is None else parts[parts != body]:
        for piece, there in _pieces(source == part, target == part):
            own = grid[piece.box.window]
            offsets[piece.box.window][piece.pixels] = (_stretch(there, piece.box, own) - own)[piece.pixels]
    return offsets


def _pieces(source: NDArray[np.bool_], target: NDArray[np.bool_]) -> list[tuple[_Piece, _Box]]:
    """The pieces of the target with the boxes of their counterparts.

    As many pieces are matched from left to right; else each takes the piece whose place in the picture is nearest, so
    that one wheel is never stretched over two. Specks go with the part as a whole.
    """
    extents = _extent(source), _extent(target)
    ours, theirs = _components(target, extents[1]), _components(source, extents[0])
    rest = target.copy()
    for piece in ours:
        rest[piece.box.window][piece.pixels] = False
    whole = [(_Piece(extents[1], rest[extents[1].window]), extents[0])]
    if not ours or not theirs:
        return whole
    boxes = [piece.box for piece in theirs]
    if len(ours) == len(theirs):
        return whole + list(zip(ours, boxes, strict=True))
    return whole + [(piece, min(boxes, key=piece.box.distance)) for piece in ours]


def _components(part: NDArray[np.bool_], extent: _Box) -> list[_Piece]:
    """The connected pieces that are no specks, from left to right."""
    left, top = extent.left // 2 * 2, extent.top // 2 * 2  # pieces are numbered by blocks of 2 x 2
    inside = np.ascontiguousarray(part[top : extent.bottom + 1, left : extent.right + 1]).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=8)
    large = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= _SPECK * part.size]
    found = []
    for n in sorted(large, key=lambda n: int(stats[n, cv2.CC_STAT_LEFT])):
        across, down, width, height = (int(length) for length in stats[n, : cv2.CC_STAT_AREA])
        box = _Box(left + across, top + down, left + across + width - 1, top + down + height - 1)
        found.append(_Piece(box, labels[down : down + height, across : across + width] == n))
    return found


def _stretch(there: _Box, here: _Box, grid: Field) -> Field:
    """(..., 2): the grid's places under the affine map that takes the box ``here`` onto the box ``there``."""
    scale = [(there.right - there.left + 1) / (here.right - here.left + 1),
             (there.bottom - there.top + 1) / (here.bottom - here.top + 1)]  # fmt: skip
    first, begin = np.array([here.left, here.top]), np.array([there.left, there.top])
    return np.asarray((grid - first + 0.5) * scale + begin - 0.5, np.float32)


def _scene(there: _Box, here: _Box, grid: Field) -> Field:
    """(..., 2): as ``_stretch``, but by one factor in both directions, the boxes' feet on each other: houses and trees
    keep their shape, as far as the photo reaches."""
    scale, (height, width) = float(np.sqrt(there.area / here.area)), grid.shape[:2]
    middle = (there.left + there.right - (here.left + here.right) * scale) / 2
    across = _along(width, scale, middle, here.left, here.right)
    down = _along(height, scale, there.bottom - here.bottom * scale, here.top, here.bottom)
    return np.stack(np.broadcast_arrays(across, down[:, None]), -1).astype(np.float32)


def _along(count: int, scale: float, shift: float, first: int, last: int) -> NDArray[np.float64]:
    """(count,): the places ``scale`` x + ``shift`` of the pixels x along a side, where the car reaches from ``first``
    to ``last``.

    Where the ends would lie beyond the photo they are at its ends, and what lies between them and the car is stretched
    evenly: nothing is shown twice, and no pixel more often than it must.
    """
    end = count - 1
    knots = np.array([0, max(first - _BESIDE * count, 0), min(last + _BESIDE * count, end), end])
    return np.interp(np.arange(count), knots, np.clip(scale * knots + shift, 0, end))


def _smooth(offsets: Field, target: Mask, body: int | None) -> Field:
    """The parts' offsets, blurred across seams; those of the body and the background follow the parts beside them, less
    with distance.

    A step between neighbouring parts would tear what runs across both.
    """
    side, parts = max(target.shape), _car(target) & (target != (BACKGROUND if body is None else body))
    car = parts.astype(np.float32)[..., None]
    seamless = _blur(offsets * car, _SEAM * side) / np.maximum(_blur(car, _SEAM * side), 1e-6)
    near = _blur(car, _REACH * side)
    followed = _blur(offsets * car, _REACH * side) / np.maximum(near, 1e-6)
    pull = near / (near + 0.05)
    return np.asarray(np.where(car > 0, seamless, pull * followed + (1 - pull) * offsets), np.float32)


def _snap(places: Field, source: Mask, target: Mask) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Moves places that are not near the right part into it, in place.

    Two (H, W): false where there is none, and true where neighbours were moved to places far apart, like the teeth of
    a comb.
    """
    height, width = source.shape
    valid, torn = np.ones(target.shape, np.bool_), np.zeros(target.shape, np.bool_)
    columns = np.clip(places[..., 0].round().astype(int), 0, width - 1)
    rows = np.clip(places[..., 1].round().astype(int), 0, height - 1)
    shown = source[rows, columns]
    wrong = np.nonzero(shown != target)
    wanted = target[wrong]
    for part in np.unique(wanted):
        here, there = tuple(axis[wanted == part] for axis in wrong), source == part
        if not there.any():
            valid[here] = False
            continue
        way = _nearest_of(there, rows[here], columns[here]) - places[here]
        length = np.linalg.norm(way, axis=1)
        far = (length > _LOOSE * max(target.shape)) | (shown[here] == IGNORE)
        places[here] += way * far[:, None]
        torn[here] = far
    return valid, torn


def _nearest_of(part: NDArray[np.bool_], rows: NDArray[np.int_], columns: NDArray[np.int_]) -> Field:
    """(M, 2): of M pixels the nearest one of the part, x before y; the ways between them leave no box around both."""
    own = _extent(part)
    top, left = min(own.top, int(rows.min())), min(own.left, int(columns.min()))
    around = part[top : max(own.bottom, int(rows.max())) + 1, left : max(own.right, int(columns.max())) + 1]
    _, labels = cv2.distanceTransformWithLabels(
        (~around).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    by_label = np.zeros((int(labels.max()) + 1, 2), np.float32)
    by_label[labels[around]] = np.argwhere(around)[:, ::-1] + (left, top)
    return np.asarray(by_label[labels[rows - top, columns - left]], np.float32)


def _mend(warped: Photo, torn: NDArray[np.bool_], target: Mask) -> None:
    """Blurs the torn pixels in place, each part within itself."""
    deviation, places = _SEAM * max(target.shape), np.nonzero(torn)
    reach, wanted = int(_BLUR_REACH * max(deviation, 0.5)), target[places]
    for part in np.unique(wanted):
        rows, columns = (axis[wanted == part] for axis in places)
        top, left = max(0, int(rows.min()) - reach), max(0, int(columns.min()) - reach)
        window = slice(top, int(rows.max()) + reach + 1), slice(left, int(columns.max()) + reach + 1)
        own, here = (target[window] == part).astype(np.float32)[..., None], (rows - top, columns - left)
        share = np.maximum(_blur(own, deviation)[here], 1e-6)
        warped[rows, columns] = (_blur(warped[window] * own, deviation)[here] / share).round()


def car_colour(photo: Photo, mask: Mask) -> NDArray[np.float64]:
    """(3,): the mean colour of the car in a photo (H, W, 3), 0..255; of the whole photo where there is none."""
    car = _car(mask)
    return np.asarray(photo[car if car.any() else ...].reshape(-1, 3).mean(0), np.float64)


def _car(mask: Mask) -> NDArray[np.bool_]:
    return np.asarray((mask != BACKGROUND) & (mask != IGNORE))


def _extent(pixels: NDArray[np.bool_]) -> _Box:
    """The bounding box; the whole picture where there are none."""
    left, top, width, height = cv2.boundingRect(pixels.view(np.uint8))
    if not width:
        return _Box(0, 0, pixels.shape[1] - 1, pixels.shape[0] - 1)
    return _Box(left, top, left + width - 1, top + height - 1)


def _grid(shape: tuple[int, ...]) -> Field:
    """(H, W, 2): every pixel's own place, x before y."""
    rows, columns = np.indices(shape[:2], np.float32)
    return np.stack([columns, rows], -1)


def _blur(field: Field, deviation: float) -> Field:
    blurred = cv2.GaussianBlur(field, (0, 0), max(deviation, 0.5))
    return np.asarray(blurred.reshape(field.shape), np.float32)
