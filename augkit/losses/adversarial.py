"""Adversarial pairs: a name -> (loss of D, loss of G), both of raw scores (no sigmoid in D)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from augkit.core.needs import BOUNDED_SLOPE, Need
from augkit.core.registry import Registry

Scores = Float[Tensor, "..."]


@dataclass(frozen=True)
class AdversarialPair:
    """``discriminator(real scores, fake scores)`` and ``generator(fake scores)``, each a mean over all scores.

    ``ends_at_0`` says whether D's loss is 0 where D tells all real from all made pictures; ``needs``, what D has to
    give; ``guess``, the least loss of a D that scores all pictures alike (0 where a loss is not above 0 anyway), and
    ``even``, the score by which it says neither real nor made.
    """

    discriminator: Callable[[Scores, Scores], Float[Tensor, ""]]
    generator: Callable[[Scores], Float[Tensor, ""]]
    ends_at_0: bool = True
    needs: tuple[Need, ...] = ()
    guess: float = 0.0
    even: float = 0.0


ADVERSARIAL: Registry[AdversarialPair] = Registry("adversarial loss", "augkit.losses")


def bce_d(real: Scores, fake: Scores) -> Float[Tensor, ""]:
    """-E log s(D(x)) - E log(1 - s(D(G(z)))) (Goodfellow et al. 2014, eq. 1)."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def bce_g(fake: Scores) -> Float[Tensor, ""]:
    """-E log s(D(G(z))): the non-saturating form (Goodfellow et al. 2014, section 3)."""
    return functional.softplus(-fake).mean()


def hinge_d(real: Scores, fake: Scores) -> Float[Tensor, ""]:
    """E relu(1 - D(x)) + E relu(1 + D(G(z))) (Lim and Ye 2017; Miyato et al. 2018, eq. 16)."""
    return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()


def hinge_g(fake: Scores) -> Float[Tensor, ""]:
    """-E D(G(z)) (Miyato et al. 2018, eq. 17)."""
    return -fake.mean()


def lsgan_d(real: Scores, fake: Scores) -> Float[Tensor, ""]:
    """(E (D(x) - 1)^2 + E D(G(z))^2) / 2 (Mao et al. 2017, eq. 9)."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def lsgan_g(fake: Scores) -> Float[Tensor, ""]:
    """E (D(G(z)) - 1)^2; the factor 1/2 of the paper is left out, as pix2pixHD does."""
    return (fake - 1).square().mean()


def wgan_d(real: Scores, fake: Scores) -> Float[Tensor, ""]:
    """E D(G(z)) - E D(x) (Arjovsky et al. 2017, eq. 3); D has to be kept Lipschitz by a penalty or by its norms."""
    return fake.mean() - real.mean()


ADVERSARIAL.register("bce")(AdversarialPair(bce_d, bce_g, guess=2 * math.log(2)))
ADVERSARIAL.register("hinge")(AdversarialPair(hinge_d, hinge_g, guess=2.0))
ADVERSARIAL.register("lsgan")(AdversarialPair(lsgan_d, lsgan_g, guess=0.25, even=0.5))
ADVERSARIAL.register("wgan")(  # G's side is the hinge's: -E D(G(z))
    AdversarialPair(wgan_d, hinge_g, ends_at_0=False, needs=(BOUNDED_SLOPE,))
)
