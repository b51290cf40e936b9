"""Losses as terms of a player: which fields of a play a loss reads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from augkit.gan.players import Backend, Memory, Play, Term
from augkit.losses import regularisers
from augkit.losses.adversarial import AdversarialPair
from augkit.losses.features import feature_matching, perceptual
from augkit.losses.likelihood import cross_entropy, dice, gaussian_kl


def adversarial_d(pair: AdversarialPair, memory: Memory | None = None) -> Term:
    """D's side, averaged over the scales of D. ``memory`` is what the play keeps of earlier steps."""

    def loss(play: Play) -> Tensor:
        scales = zip(play.real_features, play.fake_features, strict=True)
        return torch.stack([pair.discriminator(real[-1].float(), fake[-1].float()) for real, fake in scales]).mean()

    return Term("adversarial", 1.0, loss, memory=memory or Memory())


def adversarial_g(pair: AdversarialPair) -> Term:
    """G's side, averaged over the scales of D."""

    def loss(play: Play) -> Tensor:
        return torch.stack([pair.generator(fake[-1].float()) for fake in play.fake_features]).mean()

    return Term("adversarial", 1.0, loss)


def adversarial_joint(pair: AdversarialPair) -> Term:
    """The bidirectional G's and encoder's side: D's loss with real and fake exchanged (Donahue et al. 2017)."""

    def loss(play: Play) -> Tensor:
        return pair.discriminator(play.fake_features[0][-1].float(), play.real_features[0][-1].float())

    return Term("adversarial", 1.0, loss)


def criticism(pair: AdversarialPair, weight: float) -> Term:
    """G's side, weighted against a reconstruction."""
    return Term("adversarial", weight, adversarial_g(pair).loss)


def auxiliary_d(weight: float) -> Term:
    """ACGAN: D tells the class of real pictures (Odena et al. 2017, eq. 3)."""
    return Term("auxiliary", weight, lambda play: functional.cross_entropy(play.real_logits.float(), play.classes))


def auxiliary_g(weight: float) -> Term:
    """ACGAN: the class of a fake is the one that was asked for."""
    return Term("auxiliary", weight, lambda play: functional.cross_entropy(play.fake_logits.float(), play.classes))


def r1_term(weight: float, every: int) -> Term:
    """Gradient penalty on real pictures; due every so many steps, it weighs so many times more (Karras et al. 2020)."""
    return Term("r1", weight * every, lambda play: regularisers.r1(play.score, play.real), every)


def gradient_penalty_term(weight: float) -> Term:
    """WGAN-GP."""

    def loss(play: Play) -> Tensor:
        return regularisers.gradient_penalty(play.score, play.real, play.fake, play.chance)

    return Term("gradient_penalty", weight, loss)


def place_gradient_penalty_term(weight: float) -> Term:
    """WGAN-GP of a D that scores patches."""

    def loss(play: Play) -> Tensor:
        return regularisers.place_gradient_penalty(play.score, play.real, play.fake, play.chance)

    return Term("gradient_penalty", weight, loss)


def rebuilding_term(weight: float) -> Term:
    """SinGAN's reconstruction: squared error of what the fixed noise gives (Shaham et al. 2019, eq. 5)."""
    return Term(
        "reconstruction", weight, lambda play: functional.mse_loss(play.rebuilt.expand_as(play.real), play.real)
    )  # fmt: skip


def latent_moves_term(weight: float) -> Term:
    """LOGAN's regulariser."""
    return Term("latent_moves", weight, lambda play: regularisers.latent_moves(play.moves))


def orthogonal_term(weight: float, module: nn.Module) -> Term:
    """Orthogonal regularisation of a player's weights."""

    def loss(play: Play) -> Tensor:
        del play
        return regularisers.orthogonality(module)

    return Term("orthogonal", weight, loss)


class RunningMeans(Memory):
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

    def loss(play: Play) -> Tensor:
        real, fake = play.real_features[0][-1].float(), play.fake_features[0][-1].float()
        means.observe(real, fake)
        anchors = means.anchors.to(real.device)
        return regularisers.lecam(real, fake, anchors[0], anchors[1]) * bool(means.seen)

    return Term("lecam", weight, loss, memory=means)


def feature_matching_term(weight: float) -> Term:
    """D's features of fake and real."""
    return Term("feature_matching", weight, lambda play: feature_matching(play.real_features, play.fake_features))


def perceptual_term(weight: float, network: nn.Module) -> Term:
    """Features of a frozen network (see ``augkit.models.registries``)."""
    layers: Any = network.weights
    relative = bool(network.relative)

    def loss(play: Play) -> Tensor:
        with torch.no_grad():
            real = network(play.real)
        return perceptual(real, network(play.fake), layers, relative)

    return Term("perceptual", weight, loss)


def l1_term(weight: float) -> Term:
    """Mean absolute difference of fake and real pixels."""
    return Term("l1", weight, lambda play: functional.l1_loss(play.fake.float(), play.real.float()))


def reconstruction_term(weights: Tensor) -> Term:
    """Weighted cross-entropy of mask logits."""
    return Term("cross_entropy", 1.0, lambda play: cross_entropy(play.fake, play.masks, weights.to(play.fake.device)))


def squared_error_term() -> Term:
    """Mean squared difference of what is reconstructed and the picture: a Gaussian likelihood."""
    return Term(
        "squared_error", 1.0, lambda play: functional.mse_loss(play.fake.float().tanh(), play.real.float())
    )  # fmt: skip


def dice_term(weight: float) -> Term:
    """Soft Dice of mask logits."""
    return Term("dice", weight, lambda play: dice(play.fake, play.masks))


def kl_term(weight: float) -> Term:
    """KL divergence of the posterior from the prior."""
    return Term("kl", weight, lambda play: gaussian_kl(play.mean, play.log_variance))
