"""Losses as terms of a player: which fields of a play a loss reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from augkit.gan.players import Play, Term
from augkit.losses.adversarial import AdversarialPair
from augkit.losses.features import feature_matching, perceptual
from augkit.losses.likelihood import cross_entropy, dice, gaussian_kl


def adversarial_d(pair: AdversarialPair) -> Term:
    """D's side, averaged over the scales of D."""

    def loss(play: Play) -> Tensor:
        scales = zip(play.real_features, play.fake_features, strict=True)
        return torch.stack([pair.discriminator(real[-1].float(), fake[-1].float()) for real, fake in scales]).mean()

    return Term("adversarial", 1.0, loss)


def adversarial_g(pair: AdversarialPair) -> Term:
    """G's side, averaged over the scales of D."""

    def loss(play: Play) -> Tensor:
        return torch.stack([pair.generator(fake[-1].float()) for fake in play.fake_features]).mean()

    return Term("adversarial", 1.0, loss)


def feature_matching_term(weight: float) -> Term:
    """D's features of fake and real."""
    return Term("feature_matching", weight, lambda play: feature_matching(play.real_features, play.fake_features))


def perceptual_term(weight: float, features: nn.Module) -> Term:
    """Features of a frozen network."""

    def loss(play: Play) -> Tensor:
        with torch.no_grad():
            real = features(play.real)
        return perceptual(real, features(play.fake))

    return Term("perceptual", weight, loss)


def l1_term(weight: float) -> Term:
    """Mean absolute difference of fake and real pixels."""
    return Term("l1", weight, lambda play: functional.l1_loss(play.fake.float(), play.real.float()))


def reconstruction_term(weights: Tensor) -> Term:
    """Weighted cross-entropy of mask logits."""
    return Term("cross_entropy", 1.0, lambda play: cross_entropy(play.fake, play.masks, weights.to(play.fake.device)))


def dice_term(weight: float) -> Term:
    """Soft Dice of mask logits."""
    return Term("dice", weight, lambda play: dice(play.fake, play.masks))


def kl_term(weight: float) -> Term:
    """KL divergence of the posterior from the prior."""
    return Term("kl", weight, lambda play: gaussian_kl(play.mean, play.log_variance))
