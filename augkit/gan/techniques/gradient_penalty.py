"""WGAN-GP (Gulrajani et al. 2017): D's slope between real and made pictures is held near 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.needs import BOUNDED_SLOPE, DISCRIMINATOR, OWN_SCORE, Need
from augkit.core.section import Positive, Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor, nn

    from augkit.gan.players import StepOutputs, Term
    from augkit.losses.input_gradients import PictureScore


@TECHNIQUES.register("gradient_penalty")
class GradientPenalty(Technique):
    """A term of D; 10 in the paper, whose D has layer normalisation."""

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"gradient_penalty": 10.0}
    place: ClassVar[int] = 70
    gives: ClassVar[frozenset[Need]] = frozenset({BOUNDED_SLOPE})

    gradient_penalty: Weight = 0.0

    @property
    def needs(self) -> tuple[Need, ...]:
        """Without a score of its own a picture's slope is that of its whole batch (section 4 of the paper)."""
        return DISCRIMINATOR, OWN_SCORE

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        from augkit.gan.players import Term

        del module

        def loss(outputs: StepOutputs) -> Tensor:
            return gradient_penalty(outputs.score, outputs.real, outputs.fake, outputs.chance)

        return [Term("gradient_penalty", self.gradient_penalty, loss)] if player == "D" else []


@TECHNIQUES.register("place_gradient_penalty")
class PlaceGradientPenalty(Technique):
    """SinGAN's form, a term of a D that scores patches, under ``adversarial: wgan``."""

    section: ClassVar[str] = "paint"
    example: ClassVar[Mapping[str, Any]] = {"adversarial": "wgan"}
    place: ClassVar[int] = 10
    gives: ClassVar[frozenset[Need]] = frozenset({BOUNDED_SLOPE})

    gradient_penalty: Positive = 0.1
    """Of D under ``wgan``; the Sinkhorn divergence is bounded by itself."""
    adversarial: str = "none"

    @property
    def on(self) -> bool:
        """Wherever D has no other bound."""
        return self.adversarial == "wgan"

    def faults(self) -> Iterator[str]:
        """A weight that is not read."""
        if not self.on and self.gradient_penalty != type(self).model_fields["gradient_penalty"].get_default():
            yield f"gradient_penalty is set, but adversarial is {self.adversarial}"

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        from augkit.gan.players import Term

        del module

        def loss(outputs: StepOutputs) -> Tensor:
            return place_gradient_penalty(outputs.score, outputs.real, outputs.fake, outputs.chance)

        return [Term("gradient_penalty", self.gradient_penalty, loss)] if player == "D" else []


def gradient_penalty(
    score: PictureScore, real: Float[Tensor, "n ..."], fake: Float[Tensor, "n ..."], place: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """E (||d score / d x|| - 1)^2 at x = place * real + (1 - place) * fake (Gulrajani et al. 2017, eq. 3).

    ``place`` is uniform on [0, 1).
    """
    from augkit.losses.input_gradients import input_gradients

    # The norm's derivative is infinite at 0.
    gradients = input_gradients(score, _between(real, fake, place))
    return ((gradients.square().sum(1) + 1e-12).sqrt() - 1).square().mean()


def place_gradient_penalty(
    score: PictureScore, real: Float[Tensor, "n c h w"], fake: Float[Tensor, "n c h w"], place: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """E (||d sum of scores / d x_p|| - 1)^2 over the pixels p of what lies between real and fake.

    The form for a D whose scores are a map of patches (Shaham et al. 2019, code): the norm is over a pixel's channels,
    so that neither the penalty nor D's mean score depends on the size of the picture.
    """
    from augkit.losses.input_gradients import input_gradients

    gradients = input_gradients(score, _between(real, fake, place)).view_as(real)
    return ((gradients.square().sum(1) + 1e-12).sqrt() - 1).square().mean()


def _between(real: Tensor, fake: Tensor, place: Tensor) -> Tensor:
    """place * real + (1 - place) * fake, without their graphs."""
    weight = place.view(-1, *[1] * (real.dim() - 1)).to(real.dtype)
    return weight * real.detach() + (1 - weight) * fake.detach()
