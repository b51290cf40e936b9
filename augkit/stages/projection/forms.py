"""What a generator's raw output is compared in: parts, or colours. Both can be looked at as colours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from augkit.core.parts import IGNORE, PartSchema
from augkit.core.pixels import normalise
from augkit.data.pair import Pair
from augkit.gan.batch import Batch
from augkit.gan.image_tensors import Show
from augkit.gan.label_map import known, one_hot
from augkit.losses.likelihood import cross_entropy
from augkit.train.stream import collate


@dataclass(frozen=True)
class ProjectionTarget:
    """The picture that a latent is looked for.

    ``shown`` is what an encoder sees of it, ``colours`` are in [-1, 1]; pixels that are not ``known`` do not count.
    """

    shown: Float[Tensor, "1 c s s"]
    colours: Float[Tensor, "1 3 s s"]
    masks: Int[Tensor, "1 s s"]

    @property
    def known(self) -> Bool[Tensor, "1 1 s s"]:
        """False where the mask says ignore."""
        return (self.masks != IGNORE)[:, None]


class Form(Protocol):
    """``channels`` of a picture as networks see it, and the name of the error a pixel."""

    channels: int
    error: str

    def show(self, batch: Batch) -> Tensor:
        """Real pictures as networks see them."""

    def seen(self, raw: Tensor) -> Tensor:
        """G's raw output in the same form."""

    def colours(self, shown: Tensor) -> Tensor:
        """Pictures as networks see them -> colours (N, 3, H, W) in [-1, 1]."""

    def paint(self, raw: Tensor) -> Tensor:
        """G's raw output -> colours, with a gradient."""

    def distance(self, raw: Tensor, target: ProjectionTarget) -> Tensor:
        """Error of G's raw output, mean over the known pixels."""


class PartForm:
    """Masks with a channel a part: cross-entropy of the logits; the colours are the schema's, mixed by likelihood."""

    error = "cross_entropy"

    def __init__(self, schema: PartSchema) -> None:
        self.channels = schema.channels
        self.palette = normalise(torch.from_numpy(schema.palette[: schema.channels]))

    def show(self, batch: Batch) -> Float[Tensor, "n k h w"]:
        """See Form."""
        return one_hot(batch.masks, self.channels)

    def seen(self, raw: Float[Tensor, "n k h w"]) -> Float[Tensor, "n k h w"]:
        """See Form."""
        return one_hot(raw.argmax(1), self.channels)

    def colours(self, shown: Float[Tensor, "n k h w"]) -> Float[Tensor, "n 3 h w"]:
        """See Form."""
        return torch.einsum("nkhw,kc->nchw", shown, self.palette.to(shown))

    def paint(self, raw: Float[Tensor, "n k h w"]) -> Float[Tensor, "n 3 h w"]:
        """See Form."""
        return self.colours(raw.float().softmax(1))

    def distance(self, raw: Float[Tensor, "n k h w"], target: ProjectionTarget) -> Float[Tensor, ""]:
        """See Form."""
        return cross_entropy(raw, target.masks, torch.ones(self.channels, device=raw.device))


class ColourForm:
    """Photos, and masks as pictures: the mean absolute difference of the colours, which run from -1 to 1."""

    channels, error = 3, "l1"

    def __init__(self, show: Show) -> None:
        self._show = show

    def show(self, batch: Batch) -> Float[Tensor, "n 3 h w"]:
        """See Form."""
        return self._show(batch)

    def seen(self, raw: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """See Form."""
        return raw.float().tanh()

    def colours(self, shown: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """See Form."""
        return shown

    def paint(self, raw: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
        """See Form."""
        return self.seen(raw)

    def distance(self, raw: Float[Tensor, "n 3 h w"], target: ProjectionTarget) -> Float[Tensor, ""]:
        """See Form."""
        off = (self.paint(raw) - target.colours).abs() * target.known
        return off.sum() / (self.channels * target.known.sum()).clamp_min(1)


def target_of(form: Form, item: Pair) -> ProjectionTarget:
    """A pair at the generator's size as a target; networks see background where it says ignore."""
    batch = collate([item], 0, 0, 1)
    shown = form.show(replace(batch, masks=known(batch.masks)))
    return ProjectionTarget(shown, form.colours(shown), batch.masks)
