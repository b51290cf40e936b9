"""What the games' forward passes give to their terms, and what they train through."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from augkit.core.parts import PartSchema
from augkit.gan import image_game, latent_game
from augkit.gan.batch import Batch
from augkit.gan.conditional_generator import ConditionalGenerator
from augkit.gan.conditioning.colours import ColourConditioner
from augkit.gan.conditioning.conditioning import Conditioning, WarpedExemplars
from augkit.gan.fake_pool import NoPool
from augkit.gan.image_tensors import categorical, channels_of
from augkit.gan.label_map import label_map
from augkit.gan.latent_game import GameNetworks, LatentGenerator, NoEncoder
from augkit.gan.latents import UniformPrior
from augkit.gan.players import StepOutputs, Term
from augkit.gan.slots import Refiner, Unrefined, Views
from augkit.gan.techniques.bidirectional import Bidirectional
from augkit.gan.techniques.latent_optimisation import LatentOptimisation, latent_moves
from augkit.gan.terms import (
    adversarial_d,
    adversarial_g,
    kl_term,
    reconstruction_term,
    segmentation_term,
    squared_error_term,
)
from augkit.losses.adversarial import ADVERSARIAL
from augkit.losses.likelihood import cross_entropy, gaussian_kl
from augkit.losses.segmentation import segmentation_loss
from augkit.models.conditioning import (
    CONDITION,
    AuxiliaryHead,
    ConditionedGenerator,
    Discriminator,
    Encoder,
    JointHead,
    LinearHead,
    ProjectionHead,
)
from augkit.models.patch import MultiScaleDiscriminator
from augkit.models.registries import PICTURE_MODELS
from augkit.models.translator import build_translator

from .outputs import step_outputs

SCHEMA = PartSchema.from_names(["hood", "door"], [(255, 0, 0), (0, 0, 255)])


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(0, 3, (2, 16, 16), generator=generator)
    return Batch(torch.rand(2, 3, 16, 16, generator=generator) * 2 - 1, masks, torch.tensor([0, 5]), 4, 0, 2)


def _networks(refine: Refiner | None = None, joint: bool = False) -> GameNetworks:
    torch.manual_seed(0)
    built = PICTURE_MODELS["dcgan"](3, 16, condition=CONDITION, latent=4)
    generator = ConditionedGenerator(built.generator)
    encoder = Encoder(PICTURE_MODELS["dcgan"](3, 16, latent=4).trunk, 4) if joint else NoEncoder()
    head = JointHead(built.trunk.features, 4) if joint else AuxiliaryHead(built.trunk.features)
    return GameNetworks(
        LatentGenerator(generator, encoder), Discriminator(built.trunk, head), UniformPrior(4).batch, categorical,
        channels_of(3), refine or Unrefined(), Views(),
    )  # fmt: skip


def _vae(discriminator: nn.Module) -> GameNetworks:
    torch.manual_seed(0)
    built = PICTURE_MODELS["mask-vae"](3, 16, condition=CONDITION, latent=4, base=8)
    learner = LatentGenerator(ConditionedGenerator(built.generator), Encoder(built.trunk, 4, CONDITION))
    return GameNetworks(
        learner, discriminator, UniformPrior(4).batch, categorical, channels_of(3), Unrefined(), Views()
    )


def _negative(pictures: Tensor, batch: Batch, name: str) -> Tensor:
    """A view that shows: no picture of a game is negative."""
    del batch
    assert name.split("-")[1] in ("real", "fake", "refined")
    return -1 - pictures


def test_d_is_shown_every_picture_through_the_view(batch: Batch) -> None:
    """Real and fake, in D's turn and in G's, and where latents are moved (Zhao et al. 2020, figure 4)."""
    scored: list[Tensor] = []
    networks = replace(_networks(joint=True, refine=LatentOptimisation(share=1.0)), view=_negative)
    networks.discriminator.register_forward_pre_hook(lambda _, inputs: scored.append(inputs[0].detach()))
    for forward in (latent_game.discriminator_forward, latent_game.joint_forward, latent_game.generator_forward):
        outputs = forward(networks)(batch)
        assert outputs.fake.detach().max() <= -1
    assert len(scored) == 3 + 3 + 2 and all(float(pictures.max()) <= -1 for pictures in scored)
    trunk = PICTURE_MODELS["dcgan"](3, 16, latent=4).trunk
    scored.clear()
    critic = Discriminator(trunk, LinearHead(trunk.features))
    critic.register_forward_pre_hook(lambda _, inputs: scored.append(inputs[0].detach()))
    networks = replace(_vae(critic), view=_negative)
    latent_game.critic_forward(networks, 0.1)(batch)
    latent_game.criticised_forward(networks, 0.1)(batch)
    assert len(scored) == 2 + 1 and all(float(pictures.max()) <= -1 for pictures in scored)


def _all_learnt(module: nn.Module) -> bool:
    return all(p.grad is not None and bool(p.grad.isfinite().all()) for p in module.parameters())


def test_the_vaes_sample_is_mean_plus_noise_times_deviation(batch: Batch) -> None:
    networks = _vae(nn.Module())
    outputs = latent_game.variational_forward(networks)(batch)
    z = outputs.mean + outputs.log_variance.exp().sqrt() * batch.noise("latent", 4)
    torch.testing.assert_close(outputs.fake, networks.learner.generator(z, batch.classes))
    assert torch.equal(outputs.masks, batch.masks)
    outputs.fake.sum().backward()
    assert _all_learnt(networks.learner)


def test_what_the_gans_terms_read(batch: Batch) -> None:
    networks = _networks()
    outputs = latent_game.discriminator_forward(networks)(batch)
    assert torch.equal(outputs.real, channels_of(3)(batch)) and torch.equal(outputs.classes, batch.classes)
    torch.testing.assert_close(outputs.score(outputs.real), outputs.real_features[0][-1])
    assert outputs.real_logits.shape == outputs.fake_logits.shape == (2, 12)
    outputs = latent_game.generator_forward(networks)(batch)
    outputs.fake_features[0][-1].sum().backward()
    assert _all_learnt(networks.learner)


def test_a_penalty_scores_pictures_as_their_classes(batch: Batch) -> None:
    networks = _networks()
    head = ProjectionHead(PICTURE_MODELS["dcgan"](3, 16, latent=4).trunk.features)
    networks.discriminator.head = head
    outputs = latent_game.discriminator_forward(networks)(batch)
    torch.testing.assert_close(outputs.score(outputs.real), outputs.real_features[0][-1])


def test_d_trains_through_the_moves_of_latents(batch: Batch) -> None:
    """In D's turn G is fixed, and yet the fakes depend on D: by way of the gradient that moved their latents."""
    networks = _networks(refine=LatentOptimisation(share=1.0))
    networks.learner.requires_grad_(False)
    outputs = latent_game.discriminator_forward(networks)(batch)
    latent_moves(outputs.moves).backward()
    assert outputs.moves.abs().sum() > 0
    assert any(bool(p.grad.any()) for p in networks.discriminator.parameters() if p.grad is not None)
    still = latent_game.discriminator_forward(_networks())(batch)
    assert not still.moves.any()


def test_a_bidirectional_game_trains_generator_and_encoder(batch: Batch) -> None:
    networks = _networks(joint=True)
    outputs = latent_game.joint_forward(networks)(batch)
    term = Bidirectional(bidirectional=True).adversarial_term("G", ADVERSARIAL["bce"])
    assert term is not None
    term.scaled(outputs).backward()
    assert _all_learnt(networks.learner.generator) and any(
        p.grad is not None for p in networks.learner.encoder.parameters()
    )
    exchanged = ADVERSARIAL["bce"].discriminator(outputs.fake_features[0][0], outputs.real_features[0][0])
    torch.testing.assert_close(term.scaled(outputs), exchanged)


def test_a_critic_judges_what_the_decoder_makes_of_mixed_latents(batch: Batch) -> None:
    trunk = PICTURE_MODELS["dcgan"](3, 16, latent=4).trunk
    networks = _vae(Discriminator(trunk, LinearHead(trunk.features)))
    outputs = latent_game.critic_forward(networks, 0.1)(batch)
    assert not outputs.fake.requires_grad and outputs.real_features[0][0].requires_grad
    outputs = latent_game.criticised_forward(networks, 0.1)(batch)
    adversarial_g(ADVERSARIAL["hinge"], 2.0).scaled(outputs).backward()
    assert _all_learnt(networks.learner.generator.generator)
    assert all(p.grad is None for p in networks.learner.encoder.parameters())  # D's opinion is the decoder's affair


def test_d_sees_the_pools_fakes_on_their_own_masks(batch: Batch) -> None:
    class Earlier(NoPool):
        def swap(self, fake: torch.Tensor, masks: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.full_like(fake, 0.5), torch.ones_like(masks)

    generator = ConditionalGenerator(build_translator(3 + 4, base=4, levels=1, blocks=1), [ColourConditioner(3)], 3)
    discriminator = MultiScaleDiscriminator(3 + 1 + 3, base=4, layers=1, scales=1).eval()
    outputs = image_game.discriminator_forward(image_game.FakeCache(generator), discriminator, 3, Earlier())(batch)
    ones = torch.ones_like(batch.masks)
    shown = torch.cat([label_map(ones, 3), torch.full_like(batch.photos, 0.5)], 1)
    torch.testing.assert_close(outputs.fake_features[0][-1], discriminator(shown)[0][-1])
    real = torch.cat([label_map(batch.masks, 3), batch.photos], 1)
    torch.testing.assert_close(outputs.real_features[0][-1], discriminator(real)[0][-1])


def test_what_the_photo_gans_terms_read(batch: Batch) -> None:
    torch.manual_seed(0)
    generator = ConditionalGenerator(build_translator(3 + 4, base=4, levels=1, blocks=1), [ColourConditioner(3)], 3)
    discriminator = MultiScaleDiscriminator(3 + 1 + 3, base=4, layers=1, scales=2)
    outputs = image_game.discriminator_forward(image_game.FakeCache(generator), discriminator, 3, NoPool())(batch)
    assert not outputs.fake.requires_grad and len(outputs.real_features) == 2
    torch.testing.assert_close(
        outputs.fake, generator(Conditioning(batch.masks, WarpedExemplars.whole(batch.photos), batch.noise))
    )
    other = WarpedExemplars.whole(batch.photos.flip(0))
    warped = image_game.discriminator_forward(image_game.FakeCache(generator), discriminator, 3, NoPool())(
        replace(batch, warped=other)
    )
    torch.testing.assert_close(warped.fake, generator(Conditioning(batch.masks, other, batch.noise)))
    assert not torch.equal(warped.fake, outputs.fake)
    outputs = image_game.generator_forward(image_game.FakeCache(generator), discriminator, 3)(batch)
    assert not any(f.requires_grad for scale in outputs.real_features for f in scale)  # targets only
    outputs.fake_features[0][0].square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in generator.parameters())
    assert torch.equal(outputs.real, batch.photos) and torch.equal(outputs.masks, batch.masks)


def test_d_judges_unpaired_fakes_and_losses_of_pixels_the_paired_ones(batch: Batch) -> None:
    torch.manual_seed(0)
    generator = ConditionalGenerator(build_translator(3 + 4, base=4, levels=1, blocks=1), [ColourConditioner(3)], 3)
    discriminator = MultiScaleDiscriminator(3 + 1 + 3, base=4, layers=1, scales=1, norm="none")
    other = WarpedExemplars.whole(-batch.photos.flip(0))
    both, alone = replace(batch, unpaired=other), replace(batch, warped=other)
    cache = image_game.FakeCache(generator)
    of_d = image_game.discriminator_forward(cache, discriminator, 3, NoPool())(both)
    of_g = image_game.generator_forward(cache, discriminator, 3)(both)
    unpaired = generator(Conditioning(batch.masks, other, batch.noise))
    torch.testing.assert_close(of_d.fake, unpaired)
    torch.testing.assert_close(of_g.unpaired, unpaired)
    torch.testing.assert_close(of_g.fake, generator(Conditioning(batch.masks, batch.exemplars, batch.noise)))
    judged = image_game.discriminator_forward(cache, discriminator, 3, NoPool())(alone)
    hinge = ADVERSARIAL["hinge"]
    torch.testing.assert_close(adversarial_d(hinge).loss(of_d), adversarial_d(hinge).loss(judged))
    scores = judged.fake_features[0][-1]
    torch.testing.assert_close(adversarial_g(hinge).loss(of_g), hinge.generator(scores))
    assert of_g.unpaired.requires_grad and not of_d.fake.requires_grad
    fresh = image_game.FakeCache(generator)
    spared = image_game.generator_forward(fresh, discriminator, 3, matched=False)(both)
    assert spared.real_features == [] and spared.fake_features == []
    torch.testing.assert_close(adversarial_g(hinge).loss(spared), adversarial_g(hinge).loss(of_g))
    assert image_game.generator_forward(fresh, discriminator, 3, matched=False)(alone).fake_features  # judged after all


def _expected(outputs: StepOutputs) -> list[tuple[Term, float | torch.Tensor]]:
    pair, weights = ADVERSARIAL["hinge"], torch.tensor([1.0, 2.0, 3.0])
    scales = list(zip(outputs.real_features, outputs.fake_features, strict=True))
    return [
        (adversarial_d(pair), sum(pair.discriminator(r[-1], f[-1]) for r, f in scales) / 2),
        (adversarial_g(pair, 3.0), 3 * sum(pair.generator(f[-1]) for _, f in scales) / 2),
        (reconstruction_term(weights), cross_entropy(outputs.fake, outputs.masks, weights)),
        (segmentation_term(weights, 0.5), segmentation_loss(outputs.fake, outputs.masks, weights, 0.5)),
        (kl_term(0.1), 0.1 * gaussian_kl(outputs.mean, outputs.log_variance)),
        (squared_error_term(), (outputs.fake.tanh() - outputs.real).square().mean()),
    ]


def test_terms_read_the_right_fields_of_the_outputs() -> None:
    outputs = step_outputs()
    for term, expected in _expected(outputs):
        torch.testing.assert_close(
            term.scaled(outputs), torch.as_tensor(expected), msg=lambda m, t=term: f"{t.name}: {m}"
        )
