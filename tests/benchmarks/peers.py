"""Training steps as others publish them, written as the plain loops that they are: fp32, torch's defaults.

``step.py --peers`` measures them beside augkit's own step. What is random here (photos, masks, VGG19's weights) costs
as much as what is real.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import vgg19

PARTS, SIDE, BASE = 19, 256, 32
VGG_ENDS = (2, 7, 12, 21, 30)
VGG_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


def dcgan_step(size: int = 128, batch: int = 16, width: int = 64, latent: int = 100) -> Callable[[], None]:
    """The DCGAN tutorial's step, with a level more for 128 px: D on real and on fake photos, then G."""
    widths = [width * 2**level for level in range(5)]
    layers: list[nn.Module] = [nn.ConvTranspose2d(latent, widths[-1], 4, 1, 0, bias=False)]
    for wide, narrow in pairwise(widths[::-1]):
        layers += [nn.BatchNorm2d(wide), nn.ReLU(True), nn.ConvTranspose2d(wide, narrow, 4, 2, 1, bias=False)]
    g = nn.Sequential(
        *layers, nn.BatchNorm2d(width), nn.ReLU(True), nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh()
    )
    layers = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for narrow, wide in pairwise(widths):
        layers += [nn.Conv2d(narrow, wide, 4, 2, 1, bias=False), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2, True)]
    d = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False), nn.Sigmoid())
    of_d, of_g = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (d, g))
    loss, photos = nn.BCELoss(), torch.rand(batch, 3, size, size) * 2 - 1
    ones, zeros = torch.ones(batch), torch.zeros(batch)

    def step() -> None:
        d.zero_grad()
        loss(d(photos).view(-1), ones).backward()
        fake = g(torch.randn(batch, latent, 1, 1))
        loss(d(fake.detach()).view(-1), zeros).backward()
        of_d.step()
        g.zero_grad()
        loss(d(fake).view(-1), ones).backward()
        of_g.step()

    return step


def pix2pixhd_step() -> Callable[[], None]:
    """pix2pixHD's step (global generator, two scales of D, LSGAN, feature matching, VGG19) at 256 px, batch 1."""
    g, scales = _generator(), nn.ModuleList(_patches() for _ in range(2))
    vgg = vgg19(weights=None).features[: VGG_ENDS[-1]].requires_grad_(False)
    of_g, of_d = (torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (g, scales))
    masks = torch.randint(0, PARTS, (1, SIDE, SIDE))
    labels = torch.cat([functional.one_hot(masks, PARTS).permute(0, 3, 1, 2), masks[:, None] > 9], 1).float()
    photo = torch.rand(1, 3, SIDE, SIDE) * 2 - 1

    def judged(picture: Tensor) -> list[list[Tensor]]:
        x, found = torch.cat([labels, picture], 1), []
        for scale in scales:
            maps = [x]
            for stage in scale:  # type: ignore[union-attr]
                maps.append(stage(maps[-1]))
            found.append(maps[1:])
            x = functional.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return found

    def towards(found: list[list[Tensor]], target: float) -> Tensor:
        return torch.stack([(maps[-1] - target).square().mean() for maps in found]).sum()

    def step() -> None:
        fake = g(labels)
        of_fake, of_real, of_both = judged(fake.detach()), judged(photo), judged(fake)
        in_d = (towards(of_fake, 0.0) + towards(of_real, 1.0)) / 2
        pairs = [
            two for both, real in zip(of_both, of_real, strict=True) for two in list(zip(both, real, strict=True))[:-1]
        ]
        matching = torch.stack([functional.l1_loss(both, real.detach()) for both, real in pairs]).sum()
        in_g = towards(of_both, 1.0) + 10 * matching * 4 / 4 / 2 + 10 * _perceptual(vgg, fake, photo)
        of_g.zero_grad()
        in_g.backward()
        of_g.step()
        of_d.zero_grad()
        in_d.backward()
        of_d.step()

    return step


def _perceptual(vgg: nn.Module, fake: Tensor, photo: Tensor) -> Tensor:
    losses, start = [], 0
    for end, weight in zip(VGG_ENDS, VGG_WEIGHTS, strict=True):
        fake, photo = vgg[start:end](fake), vgg[start:end](photo)  # type: ignore[index]
        losses.append(weight * functional.l1_loss(fake, photo.detach()))
        start = end
    return torch.stack(losses).sum()


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        half = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width)]
        self.body = nn.Sequential(*half, nn.ReLU(True), *again)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = x + self.body(x)
        return made


def _generator() -> nn.Module:
    widths = [BASE * 2**level for level in range(5)]
    layers: list[nn.Module] = [
        nn.ReflectionPad2d(3),
        nn.Conv2d(PARTS + 1, BASE, 7),
        nn.InstanceNorm2d(BASE),
        nn.ReLU(True),
    ]
    for narrow, wide in pairwise(widths):
        layers += [nn.Conv2d(narrow, wide, 3, 2, 1), nn.InstanceNorm2d(wide), nn.ReLU(True)]
    layers += [_Residual(widths[-1]) for _ in range(9)]
    for wide, narrow in pairwise(widths[::-1]):
        layers += [nn.ConvTranspose2d(wide, narrow, 3, 2, 1, 1), nn.InstanceNorm2d(narrow), nn.ReLU(True)]
    return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(BASE, 3, 7), nn.Tanh())


def _patches(width: int = 64) -> nn.ModuleList:
    widths = [width, 2 * width, 4 * width, 8 * width]
    stages = [nn.Sequential(nn.Conv2d(PARTS + 4, width, 4, 2, 2), nn.LeakyReLU(0.2, True))]
    for number, (narrow, wide) in enumerate(pairwise(widths), 1):
        convolution = nn.Conv2d(narrow, wide, 4, 1 if number == 3 else 2, 2)
        stages.append(nn.Sequential(convolution, nn.InstanceNorm2d(wide), nn.LeakyReLU(0.2, True)))
    return nn.ModuleList([*stages, nn.Sequential(nn.Conv2d(widths[-1], 1, 4, 1, 2))])
