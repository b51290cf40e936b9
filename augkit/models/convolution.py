"""Dense convolutions that train fast on CPUs: the same sums as torch's, each pass by the kernel that is fast for it.

oneDNN reads the weights of a layer anew for every few pixels, so it is slow where weights outweigh maps: in the inmost
layers of a GAN its gradient of the weights takes up to eight times as long as a matrix product. And a transposed
convolution's gradient of the bias is left to its reference code. Three passes are all there is to both kinds of layer:

=============  ==========================================  ====================  =============================
pass           what it makes                               of a convolution      of a transposed convolution
=============  ==========================================  ====================  =============================
``gathered``   coarse maps of fine maps and weights        forward               gradient of the input
``scattered``  fine maps of coarse maps and weights        gradient of input     forward
``compared``   weights of coarse maps and fine maps        gradient of weights   gradient of weights
=============  ==========================================  ====================  =============================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

HEAVY = 2**19
"""Weights from which on a layer is worth a matrix product."""


class KernelWalk(NamedTuple):
    """How a square kernel moves over fine maps."""

    side: int
    stride: int
    padding: int


class Convolution(nn.Conv2d):
    """A dense square ``nn.Conv2d``, fast in both directions on a CPU."""

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if input.device.type != "cpu" or self.groups > 1:
            made: Tensor = super()._conv_forward(input, weight, bias)
            return made
        walk = KernelWalk(self.kernel_size[0], self.stride[0], int(self.padding[0]))
        if self.padding_mode != "zeros":
            input, walk = functional.pad(input, (walk.padding,) * 4, self.padding_mode), walk._replace(padding=0)
        return convolved(input, weight, bias, walk)


class Deconvolution(nn.ConvTranspose2d):
    """A dense square ``nn.ConvTranspose2d``, fast in both directions on a CPU."""

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        """See the class."""
        if input.device.type != "cpu" or self.groups > 1 or output_size is not None:
            return super().forward(input, output_size)
        walk = KernelWalk(self.kernel_size[0], self.stride[0], int(self.padding[0]))
        return deconvolved(input, self.weight, self.bias, walk, self.output_padding[0])


def convolved(maps: Float[Tensor, "n c h w"], weight: Tensor, bias: Tensor | None, walk: KernelWalk) -> Tensor:
    """``torch.conv2d``, also in what autocast does with it."""
    kind = _kind(maps)
    made: Tensor = _Convolved.apply(maps.to(kind), weight.to(kind), None if bias is None else bias.to(kind), walk)
    return made


def deconvolved(
    maps: Float[Tensor, "n c h w"], weight: Tensor, bias: Tensor | None, walk: KernelWalk, extra: int = 0
) -> Tensor:
    """``torch.conv_transpose2d``, also in what autocast does with it; ``extra`` is its output padding."""
    kind = _kind(maps)
    fine = [(side - 1) * walk.stride - 2 * walk.padding + walk.side + extra for side in maps.shape[2:]]
    bias = None if bias is None else bias.to(kind)
    made: Tensor = _Deconvolved.apply(maps.to(kind), weight.to(kind), bias, walk, fine)
    return made


def gathered(fine: Tensor, weight: Tensor, bias: Tensor | None, walk: KernelWalk) -> Tensor:
    """Fine maps (N, C, H, W) and weights (K, C, side, side) -> coarse maps (N, K, h, w)."""
    height, width = (_coarse(side, walk) for side in fine.shape[2:])
    if not _few(len(fine) * height * width, weight):
        return functional.conv2d(fine, weight, bias, walk.stride, walk.padding)
    made = functional.linear(_columns(fine, walk), weight.permute(0, 2, 3, 1).flatten(1), bias)
    return made.view(len(fine), height, width, -1).permute(0, 3, 1, 2)


def scattered(coarse: Tensor, weight: Tensor, bias: Tensor | None, walk: KernelWalk, size: Sequence[int]) -> Tensor:
    """Coarse maps (N, K, h, w) and weights (K, C, side, side) -> fine maps (N, C, *size)."""
    side, stride, padding = walk
    if not _few(len(coarse) * coarse.shape[2] * coarse.shape[3], weight):
        least = [(length - 1) * stride - 2 * padding + side for length in coarse.shape[2:]]
        extra = [length - own for length, own in zip(size, least, strict=True)]
        return functional.conv_transpose2d(coarse, weight, bias, stride, padding, extra)
    columns = _rows(coarse) @ weight.permute(0, 2, 3, 1).flatten(1)
    return _folded(columns, coarse.shape, walk, size, bias)


def compared(coarse: Tensor, fine: Tensor, weight: Tensor, walk: KernelWalk) -> Tensor:
    """Coarse maps (N, K, h, w) and fine maps (N, C, H, W) -> their part in weights as large as ``weight``."""
    rows = len(coarse) * coarse.shape[2] * coarse.shape[3]
    if weight.numel() < HEAVY or rows > 2 * len(weight):
        _, stride, padding = walk
        found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
            coarse, fine, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [False, True, False]
        )
        return found[1]
    made = _rows(coarse).t() @ _columns(fine, walk)
    return made.view(len(made), walk.side, walk.side, -1).permute(0, 3, 1, 2)


def _few(rows: int, weight: Tensor) -> bool:
    """Whether there are so few coarse pixels that a matrix product is the faster one."""
    return weight.numel() >= HEAVY and 2 * rows <= len(weight)


def _kind(maps: Tensor) -> torch.dtype:
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else maps.dtype


def _coarse(length: int, walk: KernelWalk) -> int:
    return (length + 2 * walk.padding - walk.side) // walk.stride + 1


def _rows(maps: Tensor) -> Tensor:
    """(N, C, h, w) -> (N * h * w, C)."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def _columns(fine: Tensor, walk: KernelWalk) -> Tensor:
    """(N, C, H, W) -> what the kernel sees at each place of it (N * h * w, side * side * C)."""
    side, stride, padding = walk
    seen = functional.pad(fine, (padding,) * 4).permute(0, 2, 3, 1)
    return seen.unfold(1, side, stride).unfold(2, side, stride).permute(0, 1, 2, 4, 5, 3).flatten(3).flatten(0, 2)


def _folded(
    columns: Tensor, coarse: Sequence[int], walk: KernelWalk, size: Sequence[int], bias: Tensor | None
) -> Tensor:
    """The inverse walk of ``_columns``: every place adds what it has for the pixels that the kernel saw there.

    In fp32, so that a sum is rounded once, as in a convolution.
    """
    side, stride, padding = walk
    pieces = columns.view(coarse[0], *coarse[2:], side, side, -1)
    fine = columns.new_zeros(
        (coarse[0], *(length + 2 * padding for length in size), pieces.shape[-1]),
        dtype=torch.promote_types(columns.dtype, torch.float32),
    )
    across, down = ((length - 1) * stride + 1 for length in coarse[2:])
    for top in range(side):
        for left in range(side):
            fine[:, top : top + across : stride, left : left + down : stride] += pieces[:, :, :, top, left]
    inside = fine[:, padding : padding + size[0], padding : padding + size[1]]
    inside = inside if bias is None else inside + bias
    return inside.to(columns.dtype).contiguous().permute(0, 3, 1, 2)


class _Convolved(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, fine: Tensor, weight: Tensor, bias: Tensor | None, walk: KernelWalk) -> Tensor:
        context.save_for_backward(fine, weight)
        context.walk = walk
        return gathered(fine, weight, bias, walk)

    @staticmethod
    def backward(context: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        fine, weight = context.saved_tensors
        walk, wanted, gradient = context.walk, context.needs_input_grad, grads[0]
        return (
            scattered(gradient, weight, None, walk, fine.shape[2:]) if wanted[0] else None,
            compared(gradient, fine, weight, walk) if wanted[1] else None,
            gradient.sum((0, 2, 3)) if wanted[2] else None,
            None,
        )


class _Deconvolved(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917  # as torch calls it
        context: Any, coarse: Tensor, weight: Tensor, bias: Tensor | None, walk: KernelWalk, size: Sequence[int]
    ) -> Tensor:
        context.save_for_backward(coarse, weight)
        context.walk = walk
        return scattered(coarse, weight, bias, walk, size)

    @staticmethod
    def backward(context: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        coarse, weight = context.saved_tensors
        walk, wanted, gradient = context.walk, context.needs_input_grad, grads[0]
        return (
            gathered(gradient, weight, None, walk) if wanted[0] else None,
            compared(coarse, gradient, weight, walk) if wanted[1] else None,
            gradient.sum((0, 2, 3)) if wanted[2] else None,
            None,
            None,
        )
