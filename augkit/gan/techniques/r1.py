"""R1 (Mescheder et al. 2018): D's scores of real pictures are kept flat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.needs import DISCRIMINATOR, OWN_SCORE, Need
from augkit.core.section import Count, Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor, nn

    from augkit.gan.players import Term
    from augkit.losses.input_gradients import PictureScore


@TECHNIQUES.register("r1")
class R1(Technique):
    """A term of D; due every so many steps, it weighs so many times more (Karras et al. 2020)."""

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"r1": 1.0, "r1_every": 2}
    place: ClassVar[int] = 60

    r1: Weight = 0.0
    r1_every: Count = 1

    @property
    def needs(self) -> tuple[Need, ...]:
        """Without a score of its own a picture's slope is that of its whole batch."""
        return DISCRIMINATOR, OWN_SCORE

    def faults(self) -> Iterator[str]:
        """An interval of nothing."""
        if self.r1_every > 1 and not self.r1:
            yield "r1_every is set, but r1 is 0"

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        from augkit.gan.players import Term

        del module
        if player != "D":
            return []
        return [Term("r1", self.r1 * self.r1_every, lambda outputs: r1(outputs.score, outputs.real), self.r1_every)]


def r1(score: PictureScore, real: Float[Tensor, "n ..."]) -> Float[Tensor, ""]:
    """E ||d score / d x||^2 / 2 on real pictures (Mescheder et al. 2018, eq. 9, without its weight)."""
    from augkit.losses.input_gradients import input_gradients

    return input_gradients(score, real).square().sum(1).mean() / 2
