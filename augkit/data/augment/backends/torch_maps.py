"""Where each pixel of a moved picture comes from, as torch's ``grid_sample`` reads it.

Coordinates run from -1 to 1 between the outer edges of a square picture: (H, W, 2), x first. torchvision's own
transforms of this kind leave black where nothing enters; by a map the border is mirrored, photo and mask move alike.
"""

from __future__ import annotations

from typing import Annotated, Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from augkit.core.section import Count, Positive, Section, Share

Range = Annotated[tuple[float, float], Field(description="[lowest, highest]")]
Coordinates = NDArray[np.float64]


class PixelMap(Section):
    """A transform that moves photo and layers (mask, silhouette) by one map, with probability ``p``."""

    p: Share = 0.5

    def __call__(self, photo: Tensor, layers: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(3, H, W) and (L, H, W) uint8."""
        grid = torch.from_numpy(self.draw(rng, photo.shape[-1]).astype(np.float32))
        return _sampled(photo, grid, "bilinear"), _sampled(layers, grid, "nearest")

    def draw(self, rng: np.random.Generator, side: int) -> Coordinates:
        """(side, side, 2): where each pixel comes from."""
        raise NotImplementedError


class Affine(PixelMap):
    """Scale, rotation (degrees), place (share of the side) and shear (degrees); the axes scale and shear apart."""

    scale: Range = (1.0, 1.0)
    rotate: Range = (0.0, 0.0)
    translate_percent: Range = (0.0, 0.0)
    shear: Range = (0.0, 0.0)

    def draw(self, rng: np.random.Generator, side: int) -> Coordinates:
        """The inverse of the drawn matrix."""
        angle, (sx, sy) = np.radians(rng.uniform(*self.rotate)), rng.uniform(*self.scale, 2)
        hx, hy = np.tan(np.radians(rng.uniform(*self.shear, 2)))
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = turn @ np.array([[1, hx], [hy, 1 + hx * hy]]) @ np.diag([sx, sy])
        place = 2 * rng.uniform(*self.translate_percent, 2)
        return np.asarray((centres(side) - place) @ np.linalg.inv(matrix).T)


class Rotate(PixelMap):
    """A rotation by ``limit`` degrees."""

    limit: Range = (-90.0, 90.0)

    def draw(self, rng: np.random.Generator, side: int) -> Coordinates:
        """As ``Affine``."""
        return Affine(rotate=self.limit).draw(rng, side)


class Perspective(PixelMap):
    """The corners come from inside the picture, by shares of the side drawn from |N(0, ``scale``)|."""

    scale: Range = (0.05, 0.1)

    def draw(self, rng: np.random.Generator, side: int) -> Coordinates:
        """A homography."""
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
        inward = 2 * np.minimum(np.abs(rng.normal(0, rng.uniform(*self.scale), (4, 2))), 0.45)
        matrix = cv2.getPerspectiveTransform(corners, (corners * (1 - inward)).astype(np.float32))
        flat = np.concatenate([centres(side), np.ones((side, side, 1))], -1) @ matrix.T
        return np.asarray(flat[..., :2] / flat[..., 2:])


class ElasticTransform(PixelMap):
    """A field of -1..1, smoothed over ``sigma`` px, times ``alpha`` px (Simard et al. 2003)."""

    alpha: Positive = 1.0
    sigma: Positive = 50.0

    def draw(self, rng: np.random.Generator, side: int) -> Coordinates:
        """Places plus the field."""
        field = rng.uniform(-1, 1, (side, side, 2)).astype(np.float32)
        smooth = cv2.GaussianBlur(field, (0, 0), self.sigma, borderType=cv2.BORDER_REFLECT)
        return np.asarray(centres(side) + smooth * (2 * self.alpha / side))


class GridDistortion(PixelMap):
    """``num_steps`` stripes a side, each wider or narrower by a share; the border stays where it is."""

    num_steps: Count = 5
    distort_limit: Range = (-0.3, 0.3)

    def draw(self, rng: np.random.Generator, side: int) -> Coordinates:
        """Piecewise linear along both axes."""
        even, line = np.linspace(-1, 1, self.num_steps + 1), (2 * np.arange(side) + 1) / side - 1
        moved = []
        for _ in range(2):
            widths = np.maximum(1 + rng.uniform(*self.distort_limit, self.num_steps), 0.05)
            moved.append(np.interp(line, even, 2 * np.append(0, widths.cumsum()) / widths.sum() - 1))
        return np.stack(np.meshgrid(*moved), -1)


def centres(side: int) -> Coordinates:
    """(side, side, 2): where the pixels are."""
    line = (2 * np.arange(side) + 1) / side - 1
    return np.stack(np.meshgrid(line, line), -1)


def _sampled(picture: Tensor, grid: Tensor, mode: str) -> Tensor:
    """(C, H, W) uint8 read at the places, mirrored at the border."""
    values: Any = picture[None].float()
    moved = functional.grid_sample(values, grid[None], mode, "reflection", align_corners=False)
    return moved[0].round().clamp(0, 255).to(torch.uint8)
