"""The two DCGANs of the two-stage report (after Radford et al. 2016): deconvolution and upsampling, RGB masks.

Widths at 128 px are the report's; other sizes add or drop levels at the wide end. A class condition, where asked for,
joins G as an embedding beside z and D as a projection (Miyato and Koyama 2018).
"""

from __future__ import annotations

import itertools
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from augkit.classes import ALL_CLASSES
from augkit.errors import ConfigError
from augkit.models.initialise import normal
from augkit.models.registries import MASK_MODELS, MaskModel


class LatentInput(nn.Module):
    """z (N, latent) -> (N, latent + embedding): the class joins the latent vector; with ``classes=False`` z alone."""

    def __init__(self, latent: int, conditional: bool) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(ALL_CLASSES), 16 if conditional else 0)
        self.width = latent + self.embed.embedding_dim

    def forward(self, z: Float[Tensor, "n latent"], classes: Int[Tensor, " n"]) -> Float[Tensor, "n width"]:
        """See the class."""
        return torch.cat([z, self.embed(classes)], 1)


class ProjectionHead(nn.Module):
    """Features (N, F) -> scores (N,): a linear score, plus the projection on the class where conditional."""

    def __init__(self, features: int, conditional: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 1)
        self.embed = nn.Embedding(len(ALL_CLASSES), features if conditional else 0)
        self.kept = self.embed.embedding_dim

    def forward(self, features: Float[Tensor, "n f"], classes: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """See the class."""
        projection = (self.embed(classes) * features[:, : self.kept]).sum(1)
        scores: Tensor = self.linear(features).squeeze(1) + projection
        return scores


class DeconvolutionGenerator(nn.Module):
    """z -> 1024 x 4 x 4 -> ... -> 64 x S/2 -> 3 x S: ConvTranspose + BatchNorm + ReLU, Tanh."""

    def __init__(self, size: int, latent: int, conditional: bool) -> None:
        super().__init__()
        self.input = LatentInput(latent, conditional)
        widths = _deconvolution_widths(size)[::-1]
        blocks: list[nn.Module] = [nn.ConvTranspose2d(self.input.width, widths[0], 4, 1, 0, bias=False)]
        for wide, narrow in itertools.pairwise(widths):
            blocks += [nn.BatchNorm2d(wide), nn.ReLU(), nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False)]
        blocks += [nn.BatchNorm2d(widths[-1]), nn.ReLU(), nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1), nn.Tanh()]
        self.trunk = nn.Sequential(*blocks)

    def forward(self, z: Float[Tensor, "n latent"], classes: Int[Tensor, " n"]) -> Float[Tensor, "n 3 s s"]:
        """See the class."""
        picture: Tensor = self.trunk(self.input(z, classes)[:, :, None, None])
        return picture


class DeconvolutionDiscriminator(nn.Module):
    """3 x S -> 64 x S/2 -> ... -> 1024 x 4 x 4 -> score: stride-2 convolutions, BatchNorm but on the first."""

    def __init__(self, size: int, conditional: bool) -> None:
        super().__init__()
        widths = _deconvolution_widths(size)
        blocks: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for narrow, wide in itertools.pairwise(widths):
            blocks += [nn.Conv2d(narrow, wide, 4, 2, 1, bias=False), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2)]
        self.trunk = nn.Sequential(*blocks, nn.Flatten())
        self.head = ProjectionHead(widths[-1] * 16, conditional)

    def forward(self, pictures: Float[Tensor, "n 3 s s"], classes: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """See the class."""
        scores: Tensor = self.head(self.trunk(pictures), classes)
        return scores


class UpsamplingGenerator(nn.Module):
    """Linear z -> 512 x 4 x 4, then per level nearest-neighbour x2 and 2 x [conv, BatchNorm, LeakyReLU]; Tanh."""

    def __init__(self, size: int, latent: int, conditional: bool) -> None:
        super().__init__()
        self.input = LatentInput(latent, conditional)
        widths = _upsampling_widths(size)
        self.project = nn.Sequential(nn.Linear(self.input.width, widths[0] * 16), nn.Unflatten(1, (widths[0], 4, 4)))
        blocks: list[nn.Module] = _two_convolutions(widths[0], widths[0])
        for wide, narrow in itertools.pairwise(widths):
            blocks += [nn.Upsample(scale_factor=2), *_two_convolutions(wide, narrow)]
        last = widths[-1]
        for _ in range(2):
            blocks += [nn.Conv2d(last, last, 3, 1, 1), nn.LeakyReLU(0.2)]
        self.trunk = nn.Sequential(*blocks, nn.Conv2d(last, 3, 3, 1, 1), nn.Tanh())

    def forward(self, z: Float[Tensor, "n latent"], classes: Int[Tensor, " n"]) -> Float[Tensor, "n 3 s s"]:
        """See the class."""
        picture: Tensor = self.trunk(self.project(self.input(z, classes)))
        return picture


class UpsamplingDiscriminator(nn.Module):
    """2 x conv 16, then per level 2 x [conv, BatchNorm, LeakyReLU] and average pooling, to 512 x 1; linear score."""

    def __init__(self, size: int, conditional: bool) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for inside in (3, 16):
            blocks += [nn.Conv2d(inside, 16, 3, 1, 1), nn.LeakyReLU(0.2)]
        previous = 16
        for level in range(int(math.log2(size)) - 1):
            width = min(32 * 2**level, 512)
            blocks += [nn.AvgPool2d(2), *_two_convolutions(previous, width)]
            previous = width
        self.trunk = nn.Sequential(*blocks, nn.AvgPool2d(2), nn.Flatten())
        self.head = ProjectionHead(previous, conditional)

    def forward(self, pictures: Float[Tensor, "n 3 s s"], classes: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        """See the class."""
        scores: Tensor = self.head(self.trunk(pictures), classes)
        return scores


@MASK_MODELS.register("dcgan-deconvolution")
def build_deconvolution(channels: int, size: int, latent: int = 100, conditional: bool = True) -> MaskModel:
    """The report's deconvolution DCGAN; ``channels`` of the schema do not matter to an RGB picture."""
    del channels
    _check_size(size)
    generator = DeconvolutionGenerator(size, latent, conditional)
    discriminator = DeconvolutionDiscriminator(size, conditional)
    return MaskModel("gan", "rgb", latent, normal(generator), normal(discriminator))


@MASK_MODELS.register("dcgan-upsampling")
def build_upsampling(channels: int, size: int, latent: int = 100, conditional: bool = True) -> MaskModel:
    """The report's upsampling DCGAN; ``channels`` of the schema do not matter to an RGB picture."""
    del channels
    _check_size(size)
    generator = UpsamplingGenerator(size, latent, conditional)
    discriminator = UpsamplingDiscriminator(size, conditional)
    return MaskModel("gan", "rgb", latent, normal(generator), normal(discriminator))


def _check_size(size: int) -> None:
    if size & (size - 1) or size < 16:
        raise ConfigError(f"a DCGAN at {size} px", "a power of two from 16 px", "set mask.size to 64, 128 or 256")


def _deconvolution_widths(size: int) -> list[int]:
    """Channels from the finest level (S/2) to the coarsest (4 px); 64 to 1024 at 128 px."""
    levels = int(math.log2(size)) - 2
    return [min(64 * 2**level, 1024) for level in range(levels)]


def _upsampling_widths(size: int) -> list[int]:
    """Channels from 4 px to S; 512, 512, 512, 256, 128, 64 at 128 px."""
    levels = int(math.log2(size)) - 1
    return [min(64 * 2 ** (levels - 1 - level), 512) for level in range(levels)]


def _two_convolutions(inside: int, outside: int) -> list[nn.Module]:
    blocks: list[nn.Module] = []
    for previous in (inside, outside):
        blocks += [nn.Conv2d(previous, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside), nn.LeakyReLU(0.2)]
    return blocks
