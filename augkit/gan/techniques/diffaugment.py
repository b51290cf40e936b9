"""DiffAugment (Zhao et al. 2020): D sees all pictures, real and made, augmented differentiably."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from augkit.core.needs import DISCRIMINATOR, FREE_COLOURS, Need
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from augkit.gan.batch import Batch


@TECHNIQUES.register("diffaugment")
class DiffAugment(Technique):
    """A view of D, in both players' turns."""

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"diffaugment": ["translation", "cutout"]}
    place: ClassVar[int] = 40

    diffaugment: tuple[Literal["colour", "translation", "cutout"], ...] = ()

    @property
    def needs(self) -> tuple[Need, ...]:
        """Translation and cutout leave a mask a mask; ``colour`` changes what it says."""
        return (DISCRIMINATOR, FREE_COLOURS) if "colour" in self.diffaugment else (DISCRIMINATOR,)

    def faults(self) -> Iterator[str]:
        """A policy drawn twice."""
        if len(set(self.diffaugment)) < len(self.diffaugment):
            yield "diffaugment names a policy twice: the second would draw what the first drew"

    def view(self, fill: Tensor) -> AugmentedView:
        """See the class."""
        return AugmentedView(self.diffaugment, fill)


@dataclass(frozen=True)
class AugmentedView:
    """Differentiable augmentation, drawn per sample: the same kind for real and fake pictures.

    ``fill`` (C,) is what enters where a picture was moved away or cut out: 0 for photos, the background's one-hot
    vector or colour for masks, so that every pixel stays a mask's.
    """

    policies: Sequence[str]
    fill: Tensor

    def __call__(self, pictures: Float[Tensor, "n c h w"], batch: Batch, name: str) -> Float[Tensor, "n c h w"]:
        """See the class."""
        for policy in self.policies:
            draw = batch.uniform(f"{name}-{policy}", 3)
            pictures = _POLICIES[policy](pictures, draw, self.fill.to(pictures))
        return pictures


def colour(pictures: Float[Tensor, "n c h w"], draw: Float[Tensor, "n 3"], fill: Float[Tensor, " c"]) -> Tensor:
    """Brightness + U(-.5, .5), saturation * U(0, 2), contrast * U(.5, 1.5)."""
    del fill
    brightness, saturation, contrast = ((draw[:, i].to(pictures))[:, None, None, None] for i in range(3))
    pictures = pictures + (brightness - 0.5)
    grey = pictures.mean(1, keepdim=True)
    pictures = grey + (pictures - grey) * (2 * saturation)
    mean = pictures.mean((1, 2, 3), keepdim=True)
    return mean + (pictures - mean) * (contrast + 0.5)


def translation(pictures: Float[Tensor, "n c h w"], draw: Float[Tensor, "n 3"], fill: Float[Tensor, " c"]) -> Tensor:
    """Moved by up to 1/8 of the side in either direction, in whole pixels."""
    import torch

    height, width = pictures.shape[2:]
    down, right = (_whole(draw[:, i], side // 8) for i, side in enumerate((height, width)))
    rows = torch.arange(height, device=pictures.device)[None] - down[:, None]
    columns = torch.arange(width, device=pictures.device)[None] - right[:, None]
    inside = _inside(rows, height)[:, None, :, None] & _inside(columns, width)[:, None, None, :]
    index = torch.arange(len(pictures), device=pictures.device)[:, None, None]
    moved = pictures.permute(0, 2, 3, 1)[
        index, rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None, :]
    ].permute(0, 3, 1, 2)
    return torch.where(inside, moved, fill[:, None, None])


def cutout(pictures: Float[Tensor, "n c h w"], draw: Float[Tensor, "n 3"], fill: Float[Tensor, " c"]) -> Tensor:
    """A rectangle of half the sides is cut out; its centre is anywhere in the picture."""
    import torch

    height, width = pictures.shape[2:]
    hidden_rows, hidden_columns = (_span(draw[:, i], side) for i, side in enumerate((height, width)))
    hidden = hidden_rows[:, None, :, None] & hidden_columns[:, None, None, :]
    return torch.where(hidden, fill[:, None, None], pictures)


_POLICIES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "colour": colour, "translation": translation, "cutout": cutout,
}  # fmt: skip


def _whole(share: Float[Tensor, " n"], reach: int) -> Int[Tensor, " n"]:
    """[0, 1) -> -reach .. reach, each as likely."""
    return (share * (2 * reach + 1)).long() - reach


def _inside(places: Int[Tensor, "n s"], side: int) -> Tensor:
    return (places >= 0) & (places < side)


def _span(share: Float[Tensor, " n"], side: int) -> Tensor:
    """(N, side) booleans: half the side about a centre at the share of the side."""
    import torch

    first = (share * side).long() - side // 4
    places = torch.arange(side, device=share.device)[None]
    return (places >= first[:, None]) & (places < first[:, None] + side // 2)
