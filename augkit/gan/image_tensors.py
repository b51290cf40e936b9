"""What networks make and what real batches show, in one form: masks as channels or as colours, photos."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from augkit.core.parts import BACKGROUND, PartSchema
from augkit.core.pixels import normalise
from augkit.gan.batch import Batch
from augkit.gan.label_map import one_hot

Output = Callable[[Tensor, Batch, str], Tensor]
"""``(raw (N, C, H, W), batch, name of the draw) -> pictures``: G's activation."""

Show = Callable[[Batch], Tensor]
"""What D and encoders see of a real batch."""

TEMPERATURE = 1.0


def colours(raw: Float[Tensor, "n 3 h w"], batch: Batch, name: str) -> Float[Tensor, "n 3 h w"]:
    """RGB in [-1, 1]."""
    del batch, name
    return raw.tanh()


def categorical(raw: Float[Tensor, "n k h w"], batch: Batch, name: str) -> Float[Tensor, "n k h w"]:
    """One-hot samples of the logits, with the softmax's gradient (straight-through Gumbel, Jang et al. 2017)."""
    uniform = batch.uniform(f"{name}-gumbel", *raw.shape[1:]).clamp_(1e-6, 1 - 1e-6)
    noise = uniform.log_().neg_().log_()  # in place: to fetch new memory takes longer than to compute
    soft = ((raw.float() - noise) / TEMPERATURE).softmax(1)
    hard = one_hot(soft.max(1).indices, raw.shape[1])  # the same as argmax, which is slower
    return hard + (soft - soft.detach())  # the bracket is exactly 0


def photos(batch: Batch) -> Float[Tensor, "n 3 h w"]:
    """The real photos."""
    return batch.photos


def channels_of(channels: int) -> Show:
    """Real masks as one-hot channels."""
    return lambda batch: one_hot(batch.masks, channels)


def palette_of(schema: PartSchema) -> Show:
    """Real masks as RGB pictures in [-1, 1], in the schema's colours."""
    palette = torch.from_numpy(schema.palette)

    def show(batch: Batch) -> Tensor:
        picked = palette.to(batch.masks.device)[batch.masks]
        return normalise(picked.permute(0, 3, 1, 2))

    return show


def background_fill(schema: PartSchema, output: Output) -> Float[Tensor, " c"]:
    """The background of a mask as a picture's channels."""
    if output is categorical:
        return functional.one_hot(torch.tensor(BACKGROUND), schema.channels).float()
    return normalise(torch.from_numpy(schema.palette[BACKGROUND]))
