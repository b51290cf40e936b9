"""What the games' moves give to their terms, and what they train through."""

from __future__ import annotations

import pytest
import torch

from augkit.gan import mask_games, photo_game
from augkit.gan.batch import Batch
from augkit.gan.condition import condition, part_colours
from augkit.gan.players import Play, Term
from augkit.gan.terms import (
    adversarial_d,
    adversarial_g,
    dice_term,
    feature_matching_term,
    kl_term,
    l1_term,
    perceptual_term,
    reconstruction_term,
)
from augkit.losses.adversarial import ADVERSARIAL
from augkit.losses.features import feature_matching, perceptual
from augkit.losses.likelihood import cross_entropy, dice, gaussian_kl
from augkit.models.dcgan import build_deconvolution
from augkit.models.mask_vae import build_mask_vae
from augkit.models.patch import MultiScaleDiscriminator
from augkit.models.translator import build_translator
from augkit.parts import PartSchema

SCHEMA = PartSchema.from_names(["hood", "door"], [(255, 0, 0), (0, 0, 255)])


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(0, 3, (2, 16, 16), generator=generator)
    return Batch(torch.rand(2, 3, 16, 16, generator=generator) * 2 - 1, masks, torch.tensor([0, 5]), 4, 0, 2)


def test_palette_view_is_the_mask_in_colours(batch: Batch) -> None:
    picture = mask_games.palette_view(torch.from_numpy(SCHEMA.palette))(batch)
    expected = torch.from_numpy(SCHEMA.colourise(batch.masks.numpy().astype("uint8"))).permute(0, 3, 1, 2)
    torch.testing.assert_close((picture + 1) * 127.5, expected.float())


def test_the_vaes_sample_is_mean_plus_noise_times_deviation(batch: Batch) -> None:
    model = build_mask_vae(3, 16, latent=4, base=8)
    pair = mask_games.VariationalPair(model)
    play = mask_games.variational_play(pair, 3, 4)(batch)
    z = play.mean + play.log_variance.exp().sqrt() * batch.noise("latent", 4)
    torch.testing.assert_close(play.fake, model.generator(z, batch.classes))
    assert torch.equal(play.masks, batch.masks)
    play.fake.sum().backward()
    assert all(p.grad is not None for p in pair.parameters())


def test_moves_of_the_mask_gan(batch: Batch) -> None:
    model = build_deconvolution(3, 16, latent=4)
    view = mask_games.palette_view(torch.from_numpy(SCHEMA.palette))
    play = mask_games.discriminator_play(model, view)(batch)
    assert not play.fake.requires_grad and torch.equal(play.real, view(batch))
    play = mask_games.generator_play(model)(batch)
    play.fake_features[0][-1].sum().backward()
    assert all(p.grad is not None for p in model.generator.parameters())


def test_moves_of_the_photo_gan(batch: Batch) -> None:
    torch.manual_seed(0)
    generator = build_translator(3 + 4, base=4, levels=1, blocks=1)
    discriminator = MultiScaleDiscriminator(3 + 1 + 3, base=4, layers=1, scales=2)
    play = photo_game.discriminator_play(generator, discriminator, 3)(batch)
    assert not play.fake.requires_grad and len(play.real_features) == 2
    colours = part_colours(batch.photos, batch.masks, 3)
    torch.testing.assert_close(play.fake, generator(condition(batch.masks, colours)))
    play = photo_game.generator_play(generator, discriminator, 3)(batch)
    assert not any(f.requires_grad for scale in play.real_features for f in scale)  # targets only
    play.fake_features[0][0].square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())
    assert torch.equal(play.real, batch.photos) and torch.equal(play.masks, batch.masks)


def _play() -> Play:
    torch.manual_seed(0)
    features = [[[torch.randn(2, 3, 4, 4), torch.randn(2, 1, 2, 2)] for _ in range(2)] for _ in range(2)]
    logits, masks = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    return Play(torch.randn(2, 3, 4, 4), logits, masks, *features, torch.randn(2, 5), torch.randn(2, 5))


def _expected(play: Play) -> list[tuple[Term, float | torch.Tensor]]:
    pair, weights = ADVERSARIAL["hinge"], torch.tensor([1.0, 2.0, 3.0])
    scales = list(zip(play.real_features, play.fake_features, strict=True))
    frozen = torch.nn.Conv2d(3, 2, 1).requires_grad_(False)
    features = torch.nn.Module()
    features.forward = lambda x: [frozen(x)]  # type: ignore[method-assign]
    return [
        (adversarial_d(pair), sum(pair.discriminator(r[-1], f[-1]) for r, f in scales) / 2),
        (adversarial_g(pair), sum(pair.generator(f[-1]) for _, f in scales) / 2),
        (feature_matching_term(2.0), 2 * feature_matching(play.real_features, play.fake_features)),
        (l1_term(3.0), 3 * (play.fake - play.real).abs().mean()),
        (perceptual_term(4.0, features), 4 * perceptual([frozen(play.real)], [frozen(play.fake)])),
        (reconstruction_term(weights), cross_entropy(play.fake, play.masks, weights)),
        (dice_term(0.5), 0.5 * dice(play.fake, play.masks)),
        (kl_term(0.1), 0.1 * gaussian_kl(play.mean, play.log_variance)),
    ]


def test_terms_read_the_right_fields_of_a_play() -> None:
    play = _play()
    for term, expected in _expected(play):
        torch.testing.assert_close(term.scaled(play), torch.as_tensor(expected), msg=lambda m, t=term: f"{t.name}: {m}")
