"""LeCam (Tseng et al. 2021): D's scores are held near the moving averages of those of the other side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.needs import DISCRIMINATOR, Need
from augkit.core.section import Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor, nn

    from augkit.gan.players import StepOutputs, Term


@TECHNIQUES.register("lecam")
class LeCam(Technique):
    """A term of D, 0 in the first step; the paper takes .3 for SN-GAN and BigGAN on CIFAR, .01 for BigGAN at 256 px."""

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"lecam": 0.3}
    place: ClassVar[int] = 50

    lecam: Weight = 0.0

    @property
    def needs(self) -> tuple[Need, ...]:
        """Both sides' scores."""
        return (DISCRIMINATOR,)

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        del module
        return [_term(self.lecam)] if player == "D" else []


def lecam(
    real: Float[Tensor, " n"], fake: Float[Tensor, " n"], real_mean: Float[Tensor, ""], fake_mean: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """E relu(D(x) - a_F)^2 + E relu(a_R - D(G(z)))^2 (Tseng et al. 2021, eq. 6).

    ``real_mean`` (a_R) and ``fake_mean`` (a_F) are the moving averages of D's mean scores.
    """
    from torch.nn import functional

    return functional.relu(real - fake_mean).square().mean() + functional.relu(real_mean - fake).square().mean()


def _term(weight: float) -> Term:
    from augkit.gan.players import Term
    from augkit.gan.running_means import RunningMeans

    means = RunningMeans()

    def loss(outputs: StepOutputs) -> Tensor:
        real, fake = outputs.real_features[0][-1].float(), outputs.fake_features[0][-1].float()
        means.observe(real, fake)
        anchors = means.anchors.to(real.device)
        return lecam(real, fake, anchors[0], anchors[1]) * bool(means.seen)

    return Term("lecam", weight, loss, state=means)
