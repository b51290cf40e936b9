"""Losses as terms of a player: which fields of a play a loss reads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from augkit.gan.players import Backend, StepOutputs, Term, TermState
from augkit.losses import regularisers
from augkit.losses.adversarial import AdversarialPair
from augkit.losses.features import feature_matching, perceptual
from augkit.losses.likelihood import cross_entropy, dice, gaussian_kl


def adversarial_d(pair: AdversarialPair, memory: TermState | None = None) -> Term:
    """D's side, averaged over the scales of D. ``memory`` is what the play keeps of earlier steps."""

    def loss(outputs: StepOutputs) -> Tensor:
        scales = zip(outputs.real_features, outputs.fake_features, strict=True)
        return torch.stack([pair.discriminator(real[-1].float(), fake[-1].float()) for real, fake in scales]).mean()

    return Term("adversarial", 1.0, loss, memory=memory or TermState())


def adversarial_g(pair: AdversarialPair) -> Term:
    """G's side, averaged over the scales of D."""

    def loss(outputs: StepOutputs) -> Tensor:
        return torch.stack([pair.generator(fake[-1].float()) for fake in outputs.fake_features]).mean()

    return Term("adversarial", 1.0, loss)


def adversarial_joint(pair: AdversarialPair) -> Term:
    """The bidirectional G's and encoder's side: D's loss with real and fake exchanged (Donahue et al. 2017)."""

    def loss(outputs: StepOutputs) -> Tensor:
        return pair.discriminator(outputs.fake_features[0][-1].float(), outputs.real_features[0][-1].float())

    return Term("adversarial", 1.0, loss)


def criticism(pair: AdversarialPair, weight: float) -> Term:
    """G's side, weighted against a reconstruction."""
    return Term("adversarial", weight, adversarial_g(pair).loss)


def auxiliary_d(weight: float) -> Term:
    """ACGAN: D tells the class of real pictures (Odena et al. 2017, eq. 3)."""
    return Term(
        "auxiliary", weight, lambda outputs: functional.cross_entropy(outputs.real_logits.float(), outputs.classes)
    )


def auxiliary_g(weight: float) -> Term:
    """ACGAN: the class of a fake is the one that was asked for."""
    return Term(
        "auxiliary", weight, lambda outputs: functional.cross_entropy(outputs.fake_logits.float(), outputs.classes)
    )


def r1_term(weight: float, every: int) -> Term:
    """Gradient penalty on real pictures; due every so many steps, it weighs so many times more (Karras et al. 2020)."""
    return Term("r1", weight * every, lambda outputs: regularisers.r1(outputs.score, outputs.real), every)


def gradient_penalty_term(weight: float) -> Term:
    """WGAN-GP."""

    def loss(outputs: StepOutputs) -> Tensor:
        return regularisers.gradient_penalty(outputs.score, outputs.real, outputs.fake, outputs.chance)

    return Term("gradient_penalty", weight, loss)


def place_gradient_penalty_term(weight: float) -> Term:
    """WGAN-GP of a D that scores patches."""

    def loss(outputs: StepOutputs) -> Tensor:
        return regularisers.place_gradient_penalty(outputs.score, outputs.real, outputs.fake, outputs.chance)

    return Term("gradient_penalty", weight, loss)


def rebuilding_term(weight: float) -> Term:
    """SinGAN's reconstruction: squared error of what the fixed noise gives (Shaham et al. 2019, eq. 5)."""

    def loss(outputs: StepOutputs) -> Tensor:
        return functional.mse_loss(outputs.rebuilt.expand_as(outputs.real), outputs.real)

    return Term("reconstruction", weight, loss)


def latent_moves_term(weight: float) -> Term:
    """LOGAN's regulariser."""
    return Term("latent_moves", weight, lambda outputs: regularisers.latent_moves(outputs.moves))


def orthogonal_term(weight: float, module: nn.Module) -> Term:
    """Orthogonal regularisation of a player's weights."""

    def loss(outputs: StepOutputs) -> Tensor:
        del outputs
        return regularisers.orthogonality(module)

    return Term("orthogonal", weight, loss)


class RunningMeans(TermState):
    """LeCam's anchors: moving averages (decay .99) of D's mean scores, equal on all processes.

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


def lecam_term(weight: float) -> Term:
    """LeCam's regulariser of D; 0 in the first step."""
    means = RunningMeans()

    def loss(outputs: StepOutputs) -> Tensor:
        real, fake = outputs.real_features[0][-1].float(), outputs.fake_features[0][-1].float()
        means.observe(real, fake)
        anchors = means.anchors.to(real.device)
        return regularisers.lecam(real, fake, anchors[0], anchors[1]) * bool(means.seen)

    return Term("lecam", weight, loss, memory=means)


def feature_matching_term(weight: float) -> Term:
    """D's features of fake and real."""
    return Term(
        "feature_matching", weight, lambda outputs: feature_matching(outputs.real_features, outputs.fake_features)
    )


def perceptual_term(weight: float, network: nn.Module) -> Term:
    """Features of a frozen network (see ``augkit.models.registries``)."""
    layers: Any = network.weights
    relative = bool(network.relative)

    def loss(outputs: StepOutputs) -> Tensor:
        with torch.no_grad():
            real = network(outputs.real)
        return perceptual(real, network(outputs.fake), layers, relative)

    return Term("perceptual", weight, loss)


def l1_term(weight: float) -> Term:
    """Mean absolute difference of fake and real pixels."""
    return Term("l1", weight, lambda outputs: functional.l1_loss(outputs.fake.float(), outputs.real.float()))


def reconstruction_term(weights: Tensor) -> Term:
    """Weighted cross-entropy of mask logits."""
    return Term(
        "cross_entropy",
        1.0,
        lambda outputs: cross_entropy(outputs.fake, outputs.masks, weights.to(outputs.fake.device)),
    )


def squared_error_term() -> Term:
    """Mean squared difference of what is reconstructed and the picture: a Gaussian likelihood."""
    return Term(
        "squared_error", 1.0, lambda outputs: functional.mse_loss(outputs.fake.float().tanh(), outputs.real.float())
    )  # fmt: skip


def dice_term(weight: float) -> Term:
    """Soft Dice of mask logits."""
    return Term("dice", weight, lambda outputs: dice(outputs.fake, outputs.masks))


def kl_term(weight: float) -> Term:
    """KL divergence of the posterior from the prior."""
    return Term("kl", weight, lambda outputs: gaussian_kl(outputs.mean, outputs.log_variance))
