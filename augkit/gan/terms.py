"""Terms that games have by themselves: which fields of the outputs a loss reads. Techniques bring further ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from augkit.gan.players import StepOutputs, Term, TermState
from augkit.losses.adversarial import AdversarialPair
from augkit.losses.likelihood import cross_entropy, gaussian_kl
from augkit.losses.segmentation import segmentation_loss


def adversarial_d(pair: AdversarialPair, state: TermState | None = None) -> Term:
    """D's side, averaged over the scales of D. ``state`` is what the game keeps of earlier steps."""

    def loss(outputs: StepOutputs) -> Tensor:
        scales = zip(outputs.real_features, outputs.fake_features, strict=True)
        return torch.stack([pair.discriminator(real[-1].float(), fake[-1].float()) for real, fake in scales]).mean()

    return Term("adversarial", 1.0, loss, state=state or TermState(), guess=pair.guess)


def adversarial_g(pair: AdversarialPair, weight: float = 1.0) -> Term:
    """G's side, averaged over the scales of D: of unpaired fakes, where there are any.

    ``weight`` is against a reconstruction, where there is one.
    """

    def loss(outputs: StepOutputs) -> Tensor:
        judged = outputs.unpaired_features or outputs.fake_features
        return torch.stack([pair.generator(fake[-1].float()) for fake in judged]).mean()

    return Term("adversarial", weight, loss)


def rebuilding_term(weight: float) -> Term:
    """SinGAN's reconstruction: squared error of what the fixed noise gives (Shaham et al. 2019, eq. 5)."""

    def loss(outputs: StepOutputs) -> Tensor:
        return functional.mse_loss(outputs.rebuilt.expand_as(outputs.real), outputs.real)

    return Term("reconstruction", weight, loss)


def reconstruction_term(weights: Tensor) -> Term:
    """Weighted cross-entropy of mask logits."""

    def loss(outputs: StepOutputs) -> Tensor:
        return cross_entropy(outputs.fake, outputs.masks, weights.to(outputs.fake.device))

    return Term("cross_entropy", 1.0, loss)


def squared_error_term() -> Term:
    """Mean squared difference of what is reconstructed and the picture: a Gaussian likelihood."""

    def loss(outputs: StepOutputs) -> Tensor:
        return functional.mse_loss(outputs.fake.float().tanh(), outputs.real.float())

    return Term("squared_error", 1.0, loss)


def segmentation_term(weights: Tensor, dice: float) -> Term:
    """Weighted cross-entropy and ``dice`` times soft Dice of mask logits, in one pass."""

    def loss(outputs: StepOutputs) -> Tensor:
        return segmentation_loss(outputs.fake, outputs.masks, weights.to(outputs.fake.device), dice)

    return Term("segmentation", 1.0, loss)


def kl_term(weight: float) -> Term:
    """KL divergence of the posterior from the prior."""
    return Term("kl", weight, lambda outputs: gaussian_kl(outputs.mean, outputs.log_variance))
