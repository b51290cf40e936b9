"""Pixels moved by torch, colours by torchvision's transforms v2: what presets use most, by the same names.

Arguments are those of albumentations, ranges always as [lowest, highest]. What is drawn differs, so a preset's results
on two backends are alike, not equal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as colours

from augkit.core.errors import ConfigError
from augkit.core.nearest import one_of
from augkit.core.presets import Step, recipe_steps
from augkit.core.section import Section, Share
from augkit.data.augment.backends import OWN, PIXEL_BACKENDS, options_of
from augkit.data.augment.backends.torch_maps import (
    Affine,
    ElasticTransform,
    GridDistortion,
    Perspective,
    PixelMap,
    Range,
    Rotate,
)
from augkit.data.augment.steps import AugmentState
from augkit.data.pair import Pair


class ColourChange(Section):
    """A transform of the photo alone, with probability ``p``."""

    p: Share = 0.5

    def __call__(self, photo: Tensor, layers: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(3, H, W) and (L, H, W) uint8; the layers stay."""
        return self.change(photo, rng), layers

    def change(self, photo: Tensor, rng: np.random.Generator) -> Tensor:
        """(3, H, W) -> (3, H, W) uint8."""
        raise NotImplementedError


class ColorJitter(ColourChange):
    """Factors of brightness, contrast and saturation, and a shift of the hue in turns, in random order."""

    brightness: Range = (0.8, 1.2)
    contrast: Range = (0.8, 1.2)
    saturation: Range = (0.8, 1.2)
    hue: Range = (-0.5, 0.5)

    def change(self, photo: Tensor, rng: np.random.Generator) -> Tensor:
        """See the class."""
        adjust: list[tuple[Callable[[Tensor, float], Tensor], Range]] = [
            (colours.adjust_brightness, self.brightness), (colours.adjust_contrast, self.contrast),
            (colours.adjust_saturation, self.saturation), (colours.adjust_hue, self.hue),
        ]  # fmt: skip
        for place in rng.permutation(len(adjust)):
            act, ends = adjust[place]
            photo = act(photo, float(rng.uniform(*ends)))
        return photo


class RandomGamma(ColourChange):
    """A gamma in per cent."""

    gamma_limit: Range = (80, 120)

    def change(self, photo: Tensor, rng: np.random.Generator) -> Tensor:
        """See the class."""
        changed: Tensor = colours.adjust_gamma(photo, float(rng.uniform(*self.gamma_limit)) / 100)
        return changed


class GaussNoise(ColourChange):
    """Noise of each value, its standard deviation as a share of the range."""

    std_range: Range = (0.2, 0.44)

    def change(self, photo: Tensor, rng: np.random.Generator) -> Tensor:
        """See the class."""
        noise = rng.standard_normal(tuple(photo.shape), np.float32) * np.float32(255 * rng.uniform(*self.std_range))
        return (photo + torch.from_numpy(noise)).round().clamp(0, 255).to(torch.uint8)


class GaussianBlur(ColourChange):
    """A kernel of an odd number of pixels; sigma as OpenCV takes it for that kernel."""

    blur_limit: tuple[int, int] = (3, 7)

    def change(self, photo: Tensor, rng: np.random.Generator) -> Tensor:
        """See the class."""
        side = int(rng.integers(self.blur_limit[0], self.blur_limit[1] + 1)) | 1
        blurred: Tensor = colours.gaussian_blur(photo, [side, side], [0.3 * ((side - 1) * 0.5 - 1) + 0.8] * 2)
        return blurred


@dataclass(frozen=True)
class TransformChoice:
    """One of some transforms, each as likely as its ``p``; with probability ``p``."""

    transforms: Sequence[Transform]
    p: float = 0.5

    def __call__(self, photo: Tensor, layers: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """The chosen one acts for certain."""
        weights = np.array([one.p for one in self.transforms])
        return self.transforms[rng.choice(len(weights), p=weights / weights.sum())](photo, layers, rng)


Transform = PixelMap | ColourChange | TransformChoice
KINDS: Mapping[str, type[PixelMap | ColourChange]] = {
    kind.__name__: kind
    for kind in (
        Affine, Rotate, Perspective, ElasticTransform, GridDistortion, ColorJitter, RandomGamma, GaussNoise,
        GaussianBlur,
    )
}  # fmt: skip


@dataclass(frozen=True)
class TorchPixels:
    """Transforms in a row, applied to photo, mask and silhouette alike; all draw from one generator."""

    transforms: Sequence[Transform]

    def __call__(self, view: AugmentState, seed: int) -> AugmentState:
        """The view after the step."""
        rng = np.random.default_rng(seed)
        own = [view.pair.mask, *([] if view.silhouette is None else [view.silhouette])]
        photo, layers = torch.from_numpy(view.pair.photo.transpose(2, 0, 1).copy()), torch.from_numpy(np.stack(own))
        for transform in self.transforms:
            if rng.random() < transform.p:
                photo, layers = transform(photo, layers, rng)
        moved = layers.numpy()
        pair = Pair(np.ascontiguousarray(photo.numpy().transpose(1, 2, 0)), moved[0], view.pair.car_class)
        return AugmentState(pair, moved[1] if len(moved) > 1 else None)


@PIXEL_BACKENDS.register("torchvision")
def build_torch_pixels(steps: Sequence[Step], source: str) -> TorchPixels:
    """The transforms as one step. Raises ConfigError for what there is not."""
    return TorchPixels([_transform(name, arguments, source) for name, arguments in steps])


def _transform(name: str, arguments: dict[str, Any], source: str) -> Transform:
    place = f"{source}: {name}"
    if name in OWN:
        raise ConfigError(f"{place} inside another step", "a step of its own", "move it to the outer list")
    if name == "OneOf":
        inner = [_transform(*step, source) for step in recipe_steps(arguments.get("transforms"), place)]
        if not any(one.p for one in inner):
            raise ConfigError(f"{place}: no transform with a p above 0", "at least one", "give it some")
        return TransformChoice(inner, float(arguments.get("p", 0.5)))
    if name not in KINDS:
        known = one_of(name, [*KINDS, "OneOf", *OWN])
        raise ConfigError(f"{place}: the torchvision backend has no such transform", known, "use albumentations")
    return options_of(KINDS[name], arguments, place)
