"""Trained generators of stage I, and of photos without masks, in use: a class and seeds in, pictures out.

Each picture is a function of the weights, the class and its own seed: noise and choices are drawn per picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from augkit.core.classes import ALL_CLASSES, ORIENTATIONS, CarClass
from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema
from augkit.core.pixels import levels, to_bytes
from augkit.data.exclusive_parts import exclusive_parts
from augkit.gan.generated import MaskDraw
from augkit.gan.hard_sampling import HardFirst, Pick, evenly
from augkit.gan.latents import NormalPrior, UniformPrior

Photo = NDArray[np.uint8]

SMOOTH = 0.6
"""Standard deviation of the blur of masks that are enlarged, in pixels of the smaller ones."""


class LatentBank(nn.Module):
    """The latent density of each class: real masks' latents, mixed between near neighbours, plus a little noise.

    A draw takes a random latent of the class (see ``prefer``) and moves it by a random share towards one of its
    ``neighbours`` nearest of the class, then adds ``noise`` standard deviations of the bank. A class with fewer latents
    than neighbours takes the missing ones from its orientation, moving at most half way to them. Masks are no
    neighbours where one ``shows`` a part that excludes a part of the other (``exclusive_parts``): between a saloon and
    a hatchback lie cars with boot lid and tailgate.
    """

    latents: Tensor
    classes: Tensor
    shows: Tensor

    def __init__(
        self, latents: Float[Tensor, "m d"], classes: Int[Tensor, " m"], shows: Bool[Tensor, "m k"],
        neighbours: int = 6, noise: float = 0.15,
    ) -> None:  # fmt: skip
        super().__init__()
        self.neighbours, self.noise = neighbours, noise
        self._pick: Pick = evenly
        for name, own in (("latents", latents), ("classes", classes), ("shows", shows)):
            self.register_buffer(name, own)

    @cached_property
    def _excluded(self) -> Bool[Tensor, "m k"]:
        """The parts that parts of each mask exclude."""
        views = [ORIENTATIONS.index(ALL_CLASSES[number].orientation) for number in self.classes.tolist()]
        exclusive = exclusive_parts(self.shows.numpy(), np.array(views))
        return torch.from_numpy(self.shows.numpy() @ exclusive)

    def prefer(self, hardness: Sequence[float], power: float) -> None:
        """Draws start from harder masks more often (``HardFirst``) from now on.

        A number for each of the masks, of which the bank holds first all latents, then those of all mirror images.
        Raises DataError for another number of masks.
        """
        if 2 * len(hardness) != len(self.latents):
            raise DataError(f"the hardness of {len(hardness)} masks", f"of {len(self.latents) // 2}", "train it again")
        self._pick = HardFirst(torch.tensor([*hardness, *hardness], dtype=torch.float64), power)

    def draw(self, car_class: CarClass, seed: int) -> Float[Tensor, " d"]:
        """One latent. Raises DataError for a class of which the bank holds nothing."""
        own = torch.nonzero(self.classes == car_class.number).flatten()
        if not len(own):
            raise DataError(
                f"no training pair shows the class {car_class.name}",
                "at least one, or one of its mirror image",
                "add photos of it, or leave it out with --only",
            )
        generator = torch.Generator().manual_seed(seed)
        place = own[self._pick(own, generator)]
        anchor = self.latents[place]
        candidates, reach = self._neighbours(int(place), own, car_class)
        pick = int(torch.randint(len(candidates), (), generator=generator))
        weight = torch.rand((), generator=generator) * reach[pick]
        jitter = torch.randn(anchor.shape, generator=generator) * self.noise * self.latents.std(0)
        return anchor + weight * (candidates[pick] - anchor) + jitter

    def _neighbours(self, place: int, own: Tensor, car_class: CarClass) -> tuple[Tensor, Tensor]:
        """The latents nearest to the one at a place (itself left out), and how far to move to each at most."""
        alike = [c.number for c in ALL_CLASSES if c.orientation == car_class.orientation and c != car_class]
        view = torch.nonzero(torch.isin(self.classes, torch.tensor(alike))).flatten()
        near = self._nearest(place, own, self.neighbours)
        others = self._nearest(place, view, self.neighbours - len(near))
        chosen = torch.cat([near, others])
        reach = torch.cat([torch.ones(len(near)), torch.full((len(others),), 0.5)])
        if not len(chosen):
            return self.latents[place][None], torch.ones(1)
        return self.latents[chosen], reach

    def _nearest(self, place: int, among: Tensor, count: int) -> Tensor:
        """The nearest ``count`` of some places whose masks can be mixed with that of a place; itself left out."""
        fitting = ~(self._excluded[place] & self.shows[among]).any(1) & (among != place)
        among = among[fitting]
        return among[torch.cdist(self.latents[place][None], self.latents[among])[0].argsort()][:count]


Prior: TypeAlias = LatentBank | NormalPrior | UniformPrior


class MaskSampler(nn.Module):
    """Stage I in use; ``size`` is the side of what the generator makes, in pixels."""

    def __init__(self, generator: nn.Module, prior: Prior, output: str, schema: PartSchema, size: int) -> None:
        super().__init__()
        self.generator, self.prior, self.output = generator, prior, output
        self.schema, self.size = schema, size

    def on(self, device: torch.device) -> MaskSampler:
        """Itself, drawing there from now on; what is drawn from stays where generators of random numbers are."""
        self.generator.to(device)
        return self

    @torch.inference_mode()
    def sample(self, car_class: CarClass, seeds: Sequence[int], size: int) -> MaskDraw:
        """New masks of one class, (len(seeds), size, size)."""
        z = torch.stack([self.prior.draw(car_class, seed) for seed in seeds])
        return self.decode(z, car_class, size)

    @torch.inference_mode()
    def decode(self, z: Float[Tensor, "n d"], car_class: CarClass, size: int) -> MaskDraw:
        """The masks of given latents."""
        device = device_of(self.generator)
        raw = self.generator(z.to(device), torch.full((len(z),), car_class.number, device=device)).float().cpu()
        if self.output == "rgb":
            return self._snap(raw.tanh(), size)
        return self._settle(raw, size)

    def prefer(self, hardness: Sequence[float], power: float) -> None:
        """See ``LatentBank.prefer``; without effect where the prior holds no real masks."""
        if isinstance(self.prior, LatentBank):
            self.prior.prefer(hardness, power)

    def _settle(self, output: Float[Tensor, "n k s s"], size: int) -> MaskDraw:
        """Every pixel becomes its likeliest part; the mean likelihood of those is the score."""
        likelihoods, parts = _likely(output.softmax(1))
        best = functional.interpolate(likelihoods, size=(size, size), mode="bilinear").max(1).values
        masks, certainty = parts[enlarged(likelihoods, size).argmax(1)], best.mean((1, 2)).tolist()
        return MaskDraw(masks.to(torch.uint8).numpy(), [{"mask_certainty": value} for value in certainty])

    def _snap(self, pictures: Float[Tensor, "n 3 s s"], size: int) -> MaskDraw:
        """The mean distance is the score."""
        masks, distances = snap(pictures, size, self.schema)
        return MaskDraw(masks, [{"palette_distance": value} for value in distances])


def _likely(likelihoods: Float[Tensor, "n k s s"]) -> tuple[Float[Tensor, "n p s s"], Int[Tensor, " p"]]:
    """The parts that may be the likeliest of a pixel, enlarged or not, and their ids: the mask of these is that of all.

    The likeliest of K parts has 1 / K at least, and bicubic weights make no value more than 1.9 times as large.
    """
    parts = torch.nonzero(likelihoods.amax((0, 2, 3)) * 2 * likelihoods.shape[1] > 1).flatten()
    return likelihoods[:, parts], parts


def enlarged(likelihoods: Float[Tensor, "n k h h"], size: int) -> Float[Tensor, "n k s s"]:
    """Parts' likelihoods for larger masks, whose outlines would show the pixels of the smaller ones as steps: bicubic,
    and blurred by ``SMOOTH``. As they are where the size is theirs, or smaller."""
    scale = size / likelihoods.shape[-1]
    if scale <= 1:
        return functional.interpolate(likelihoods, size=(size, size), mode="bilinear")
    reach = math.ceil(3 * SMOOTH * scale)
    places = torch.arange(-reach, reach + 1, device=likelihoods.device, dtype=likelihoods.dtype)
    kernel = (-(places**2) / (2 * (SMOOTH * scale) ** 2)).exp()
    kernel = (kernel / kernel.sum()).expand(likelihoods.shape[1], 1, -1)
    large = functional.interpolate(likelihoods, size=(size, size), mode="bicubic")
    padded = functional.pad(large, (reach,) * 4, mode="replicate")
    across = functional.conv2d(padded, kernel[:, :, None, :], groups=len(kernel))
    return functional.conv2d(across, kernel[..., None], groups=len(kernel))


def snap(pictures: Float[Tensor, "n 3 s s"], size: int, schema: PartSchema) -> tuple[Mask, list[float]]:
    """Pictures of [-1, 1], resized -> masks of the parts with the nearest colours, and the pixels' mean distances
    (0..255 a channel) to these.
    """
    scaled = functional.interpolate(levels(pictures), size=(size, size), mode="bilinear")
    palette = torch.from_numpy(schema.palette[: schema.channels]).float()
    distances = torch.cdist(scaled.flatten(2).transpose(1, 2), palette[None])
    nearest, masks = distances.min(2)
    shape = (len(pictures), size, size)
    return masks.reshape(shape).to(torch.uint8).numpy(), [value / 3**0.5 for value in nearest.mean(1).tolist()]


class PictureSampler(nn.Module):
    """A generator of photos without masks, in use."""

    def __init__(self, generator: nn.Module, prior: Prior) -> None:
        super().__init__()
        self.generator, self.prior = generator, prior

    @torch.inference_mode()
    def sample(self, car_class: CarClass, seeds: Sequence[int]) -> Photo:
        """New photos of one class, (len(seeds), S, S, 3); an unconditional generator draws any."""
        return self.decode(torch.stack([self.prior.draw(car_class, seed) for seed in seeds]), car_class)

    @torch.inference_mode()
    def decode(self, z: Float[Tensor, "n d"], car_class: CarClass) -> Photo:
        """The photos of given latents."""
        return to_pixels(self.generator(z, torch.full((len(z),), car_class.number)).float().tanh())


def device_of(module: nn.Module) -> torch.device:
    """Where its weights are; the CPU where it has none."""
    return next(module.parameters(), torch.empty(0)).device


def to_pixels(photos: Float[Tensor, "n 3 h w"]) -> Photo:
    """[-1, 1] -> (N, H, W, 3) bytes."""
    return np.ascontiguousarray(to_bytes(photos).permute(0, 2, 3, 1).cpu().numpy())
