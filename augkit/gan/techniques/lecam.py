"""LeCam (Tseng et al. 2021): D's scores are held near the moving averages of those of the other side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from augkit.core.needs import DISCRIMINATOR, Need
from augkit.core.section import Weight
from augkit.gan.players import Backend, StepOutputs, Term, TermState
from augkit.gan.techniques import TECHNIQUES, Technique


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
    return functional.relu(real - fake_mean).square().mean() + functional.relu(real_mean - fake).square().mean()


class RunningMeans(TermState):
    """The anchors a_R and a_F: moving averages (decay .99) of D's mean scores, equal on all processes.

    Until the first step is over there is none; ``seen`` counts the steps.
    """

    DECAY = 0.99

    anchors: Tensor
    seen: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("anchors", torch.zeros(2))  # of real, of fake
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))
        self._observed: list[Tensor] = []

    def observe(self, real: Tensor, fake: Tensor) -> None:
        """Takes note of a microbatch's scores."""
        self._observed.append(torch.stack([real.detach().mean(), fake.detach().mean()]))

    def settle(self, backend: Backend) -> None:
        """Moves the anchors."""
        means = torch.stack(self._observed).mean(0)
        self._observed.clear()
        if backend.num_processes > 1:
            means = backend.reduce(means, "mean")
        kept = self.DECAY if int(self.seen) else 0.0
        self.anchors.copy_(kept * self.anchors + (1 - kept) * means.to(self.anchors))
        self.seen += 1


def _term(weight: float) -> Term:
    means = RunningMeans()

    def loss(outputs: StepOutputs) -> Tensor:
        real, fake = outputs.real_features[0][-1].float(), outputs.fake_features[0][-1].float()
        means.observe(real, fake)
        anchors = means.anchors.to(real.device)
        return lecam(real, fake, anchors[0], anchors[1]) * bool(means.seen)

    return Term("lecam", weight, loss, state=means)
