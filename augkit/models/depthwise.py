"""A depthwise convolution whose backward pass is fast on CPUs.

oneDNN has no fast kernels for two of its gradients: that of the weights of a kernel beyond 3 x 3, and in bf16 that of
the input under a stride. Both are computed here from what is fast; what comes out is the same.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

FAST = 3
"""The largest side of a kernel whose weights have a fast gradient."""


class Depthwise(nn.Conv2d):
    """A depthwise ``nn.Conv2d`` that takes over another one's weights, padding and all."""

    def __init__(self, own: nn.Conv2d) -> None:
        side, stride = own.kernel_size[0], own.stride[0]
        super().__init__(own.in_channels, own.in_channels, side, stride, side // 2, groups=own.in_channels)
        self.weight, self.bias = own.weight, own.bias
        self.uneven = own.padding != self.padding
        """Whether it pads as TensorFlow does: where a stride leaves an odd pixel, that is behind."""

    def forward(self, photos: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c u v"]:
        """A channel each; u = h / stride, v = w / stride."""
        side, stride = self.kernel_size[0], self.stride[0]
        padding = side // 2
        if self.uneven:
            short = [max(0, (-(-length // stride) - 1) * stride + side - length) for length in photos.shape[:1:-1]]
            photos = functional.pad(photos, [edge for missing in short for edge in (missing // 2, -(-missing // 2))])
            padding = 0
        if photos.device.type != "cpu":
            return functional.conv2d(photos, self.weight, self.bias, stride, padding, groups=self.groups)
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else photos.dtype
        bias = None if self.bias is None else self.bias.to(kind)
        made: Tensor = _Convolution.apply(photos.to(kind), self.weight.to(kind), bias, stride, padding)
        return made


def quicken(network: nn.Module) -> None:
    """Puts ``Depthwise`` in the place of all square depthwise convolutions; parameters keep their names."""
    for module in network.modules():
        for name, own in list(module.named_children()):
            if not isinstance(own, nn.Conv2d) or isinstance(own, Depthwise):
                continue
            square = len({*own.kernel_size}) == len({*own.stride}) == 1
            if square and own.groups == own.in_channels == own.out_channels:
                setattr(module, name, Depthwise(own))


class _Convolution(torch.autograd.Function):
    """(photos, weight, bias, stride, padding) -> conv2d with as many groups as channels."""

    @staticmethod
    def forward(  # noqa: PLR0917  # as torch calls it
        context: Any, photos: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int
    ) -> Tensor:
        context.save_for_backward(photos, weight)
        context.stride, context.padding = stride, padding
        return functional.conv2d(photos, weight, bias, stride, padding, groups=len(weight))

    @staticmethod
    def backward(context: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        photos, weight = context.saved_tensors
        gradient, stride, padding = grads[0], context.stride, context.padding
        wanted = context.needs_input_grad
        of_photos = _of_photos(gradient, photos, weight, stride, padding) if wanted[0] else None
        of_weight = _of_weight(gradient, photos, weight, stride, padding) if wanted[1] else None
        return of_photos, of_weight, gradient.sum((0, 2, 3)) if wanted[2] else None, None, None


def _of_photos(gradient: Tensor, photos: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    if stride == 1 or photos.dtype == torch.float32:
        return _gradient(0, gradient, photos, weight, stride, padding)
    return _gradient(0, gradient.float(), photos.float(), weight.float(), stride, padding).to(photos.dtype)


def _of_weight(gradient: Tensor, photos: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """That of a large kernel piece by piece, each as large as is fast."""
    side = weight.shape[-1]
    if side <= FAST:
        return _gradient(1, gradient, photos, weight, stride, padding)
    padded, found = functional.pad(photos, (padding,) * 4), torch.empty_like(weight)
    height, width = ((length - 1) * stride + FAST for length in gradient.shape[2:])
    corners = [*range(0, side - FAST, FAST - 1), side - FAST]
    for top in corners:
        for left in corners:
            seen = padded[:, :, top : top + height, left : left + width].contiguous(memory_format=torch.channels_last)
            piece = found[:, :, top : top + FAST, left : left + FAST]
            piece.copy_(_gradient(1, gradient, seen, piece.contiguous(), stride, 0))
    return found


def _gradient(  # noqa: PLR0917  # as torch calls it
    of: int, gradient: Tensor, photos: Tensor, weight: Tensor, stride: int, padding: int
) -> Tensor:
    """Torch's own: of the photos (0) or of the weight (1)."""
    wanted = [of == 0, of == 1, False]
    found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
        gradient, photos, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], len(weight), wanted
    )
    return found[of]
