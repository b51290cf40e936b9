"""What the games' moves give to their terms, and what they train through."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

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
from augkit.gan.refiners import LatentOptimisation, Refiner, unrefined
from augkit.gan.terms import (
    RunningMeans,
    adversarial_d,
    adversarial_g,
    adversarial_joint,
    auxiliary_d,
    auxiliary_g,
    criticism,
    dice_term,
    feature_matching_term,
    gradient_penalty_term,
    kl_term,
    l1_term,
    latent_moves_term,
    lecam_term,
    orthogonal_term,
    perceptual_term,
    r1_term,
    reconstruction_term,
    squared_error_term,
)
from augkit.gan.views import unchanged
from augkit.losses import regularisers
from augkit.losses.adversarial import ADVERSARIAL
from augkit.losses.features import feature_matching, perceptual
from augkit.losses.likelihood import cross_entropy, dice, gaussian_kl
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

SCHEMA = PartSchema.from_names(["hood", "door"], [(255, 0, 0), (0, 0, 255)])


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(0, 3, (2, 16, 16), generator=generator)
    return Batch(torch.rand(2, 3, 16, 16, generator=generator) * 2 - 1, masks, torch.tensor([0, 5]), 4, 0, 2)


def _table(model: str = "dcgan", refine: Refiner = unrefined, joint: bool = False) -> GameNetworks:
    torch.manual_seed(0)
    built = PICTURE_MODELS[model](3, 16, condition=CONDITION, latent=4)
    generator = ConditionedGenerator(built.generator)
    encoder = Encoder(PICTURE_MODELS[model](3, 16, latent=4).trunk, 4) if joint else NoEncoder()
    head = JointHead(built.trunk.features, 4) if joint else AuxiliaryHead(built.trunk.features)
    return GameNetworks(
        LatentGenerator(generator, encoder), Discriminator(built.trunk, head), UniformPrior(4).batch, categorical,
        channels_of(3), refine, unchanged,
    )  # fmt: skip


def _vae(discriminator: nn.Module) -> GameNetworks:
    torch.manual_seed(0)
    built = PICTURE_MODELS["mask-vae"](3, 16, condition=CONDITION, latent=4, base=8)
    maker = LatentGenerator(ConditionedGenerator(built.generator), Encoder(built.trunk, 4, CONDITION))
    return GameNetworks(maker, discriminator, UniformPrior(4).batch, categorical, channels_of(3), unrefined, unchanged)


def _negative(pictures: Tensor, batch: Batch, name: str) -> Tensor:
    """A view that shows: no picture of a game is negative."""
    del batch
    assert name.split("-")[1] in ("real", "fake", "refined")
    return -1 - pictures


def test_d_is_shown_every_picture_through_the_view(batch: Batch) -> None:
    """Real and fake, in D's turn and in G's, and where latents are moved (Zhao et al. 2020, figure 4)."""
    scored: list[Tensor] = []
    table = replace(_table(joint=True, refine=LatentOptimisation(share=1.0)), view=_negative)
    table.discriminator.register_forward_pre_hook(lambda _, inputs: scored.append(inputs[0].detach()))
    for move in (latent_game.discriminator_forward, latent_game.joint_forward, latent_game.generator_forward):
        outputs = move(table)(batch)
        assert outputs.fake.detach().max() <= -1
    assert len(scored) == 3 + 3 + 2 and all(float(pictures.max()) <= -1 for pictures in scored)
    trunk = PICTURE_MODELS["dcgan"](3, 16, latent=4).trunk
    scored.clear()
    critic = Discriminator(trunk, LinearHead(trunk.features))
    critic.register_forward_pre_hook(lambda _, inputs: scored.append(inputs[0].detach()))
    table = replace(_vae(critic), view=_negative)
    latent_game.critic_forward(table, 0.1)(batch)
    latent_game.criticised_forward(table, 0.1)(batch)
    assert len(scored) == 2 + 1 and all(float(pictures.max()) <= -1 for pictures in scored)


def _all_learnt(module: nn.Module) -> bool:
    return all(p.grad is not None and bool(p.grad.isfinite().all()) for p in module.parameters())


def test_the_vaes_sample_is_mean_plus_noise_times_deviation(batch: Batch) -> None:
    table = _vae(nn.Module())
    outputs = latent_game.variational_forward(table)(batch)
    z = outputs.mean + outputs.log_variance.exp().sqrt() * batch.noise("latent", 4)
    torch.testing.assert_close(outputs.fake, table.maker.generator(z, batch.classes))
    assert torch.equal(outputs.masks, batch.masks)
    outputs.fake.sum().backward()
    assert _all_learnt(table.maker)


def test_moves_of_the_gan(batch: Batch) -> None:
    table = _table()
    outputs = latent_game.discriminator_forward(table)(batch)
    assert torch.equal(outputs.real, channels_of(3)(batch)) and torch.equal(outputs.classes, batch.classes)
    torch.testing.assert_close(outputs.score(outputs.real), outputs.real_features[0][-1])
    assert outputs.real_logits.shape == outputs.fake_logits.shape == (2, 12)
    outputs = latent_game.generator_forward(table)(batch)
    outputs.fake_features[0][-1].sum().backward()
    assert _all_learnt(table.maker)


def test_a_penalty_scores_pictures_as_their_classes(batch: Batch) -> None:
    table = _table()
    head = ProjectionHead(PICTURE_MODELS["dcgan"](3, 16, latent=4).trunk.features)
    table.discriminator.head = head
    outputs = latent_game.discriminator_forward(table)(batch)
    torch.testing.assert_close(outputs.score(outputs.real), outputs.real_features[0][-1])


def test_d_trains_through_the_moves_of_latents(batch: Batch) -> None:
    """In D's turn G is fixed, and yet the fakes depend on D: by way of the gradient that moved their latents."""
    table = _table(refine=LatentOptimisation(share=1.0))
    table.maker.requires_grad_(False)
    outputs = latent_game.discriminator_forward(table)(batch)
    latent_moves_term(1.0).scaled(outputs).backward()
    assert outputs.moves.abs().sum() > 0
    assert any(bool(p.grad.any()) for p in table.discriminator.parameters() if p.grad is not None)
    still = latent_game.discriminator_forward(_table())(batch)
    assert not still.moves.any()


def test_a_bidirectional_game_trains_generator_and_encoder(batch: Batch) -> None:
    table = _table(joint=True)
    outputs = latent_game.joint_forward(table)(batch)
    adversarial_joint(ADVERSARIAL["bce"]).scaled(outputs).backward()
    assert _all_learnt(table.maker.generator) and any(p.grad is not None for p in table.maker.encoder.parameters())
    exchanged = ADVERSARIAL["bce"].discriminator(outputs.fake_features[0][0], outputs.real_features[0][0])
    torch.testing.assert_close(adversarial_joint(ADVERSARIAL["bce"]).scaled(outputs), exchanged)


def test_a_critic_judges_what_the_decoder_makes_of_mixed_latents(batch: Batch) -> None:
    trunk = PICTURE_MODELS["dcgan"](3, 16, latent=4).trunk
    table = _vae(Discriminator(trunk, LinearHead(trunk.features)))
    outputs = latent_game.critic_forward(table, 0.1)(batch)
    assert not outputs.fake.requires_grad and outputs.real_features[0][0].requires_grad
    outputs = latent_game.criticised_forward(table, 0.1)(batch)
    criticism(ADVERSARIAL["hinge"], 2.0).scaled(outputs).backward()
    assert _all_learnt(table.maker.generator.generator)
    assert all(p.grad is None for p in table.maker.encoder.parameters())  # D's opinion is the decoder's affair


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


def test_moves_of_the_photo_gan(batch: Batch) -> None:
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


def _play() -> StepOutputs:
    torch.manual_seed(0)
    features = [[[torch.randn(2, 3, 4, 4), torch.randn(2, 1, 2, 2)] for _ in range(2)] for _ in range(2)]
    logits, masks = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    return StepOutputs(
        real=torch.randn(2, 3, 4, 4), fake=logits, masks=masks, classes=torch.tensor([0, 2]),
        real_features=features[0], fake_features=features[1], real_logits=torch.randn(2, 3),
        fake_logits=torch.randn(2, 3), mean=torch.randn(2, 5), log_variance=torch.randn(2, 5),
        moves=torch.randn(2, 5), chance=torch.rand(2), score=lambda x: x.square().sum((1, 2, 3)),
    )  # fmt: skip


def _expected(outputs: StepOutputs) -> list[tuple[Term, float | torch.Tensor]]:
    pair, weights = ADVERSARIAL["hinge"], torch.tensor([1.0, 2.0, 3.0])
    scales = list(zip(outputs.real_features, outputs.fake_features, strict=True))
    frozen = torch.nn.Conv2d(3, 2, 1).requires_grad_(False)
    features = torch.nn.Module()
    features.forward = lambda x: [frozen(x)]  # type: ignore[method-assign]
    features.weights, features.relative = (0.5,), True  # type: ignore[assignment]
    return [
        (adversarial_d(pair), sum(pair.discriminator(r[-1], f[-1]) for r, f in scales) / 2),
        (adversarial_g(pair), sum(pair.generator(f[-1]) for _, f in scales) / 2),
        (feature_matching_term(2.0), 2 * feature_matching(outputs.real_features, outputs.fake_features)),
        (l1_term(3.0), 3 * (outputs.fake - outputs.real).abs().mean()),
        (perceptual_term(4.0, features), 4 * perceptual([frozen(outputs.real)], [frozen(outputs.fake)], (0.5,), True)),
        (reconstruction_term(weights), cross_entropy(outputs.fake, outputs.masks, weights)),
        (dice_term(0.5), 0.5 * dice(outputs.fake, outputs.masks)),
        (kl_term(0.1), 0.1 * gaussian_kl(outputs.mean, outputs.log_variance)),
        (squared_error_term(), (outputs.fake.tanh() - outputs.real).square().mean()),
        (auxiliary_d(2.0), 2 * functional.cross_entropy(outputs.real_logits, outputs.classes)),
        (auxiliary_g(2.0), 2 * functional.cross_entropy(outputs.fake_logits, outputs.classes)),
        (criticism(pair, 0.1), 0.1 * sum(pair.generator(f[-1]) for _, f in scales) / 2),
        (r1_term(2.0, 4), 8 * regularisers.r1(outputs.score, outputs.real).detach()),
        (
            gradient_penalty_term(10.0),
            10 * regularisers.gradient_penalty(outputs.score, outputs.real, outputs.fake, outputs.chance).detach(),
        ),
        (latent_moves_term(300.0), 300 * regularisers.latent_moves(outputs.moves)),
        (orthogonal_term(1e-4, nn.Linear(1, 1)), 0.0),
    ]


def test_terms_read_the_right_fields_of_a_play() -> None:
    outputs = _play()
    for term, expected in _expected(outputs):
        torch.testing.assert_close(
            term.scaled(outputs).detach(), torch.as_tensor(expected), msg=lambda m, t=term: f"{t.name}: {m}"
        )


class OtherProcess:
    """A backend whose other process saw scores of mean 3 and -1."""

    num_processes = 2

    def backward(self, loss: Tensor) -> None:
        raise AssertionError

    def reduce(self, tensor: Tensor, reduction: str) -> Tensor:
        assert reduction == "mean"
        return (tensor + torch.tensor([3.0, -1.0])) / 2


class OneProcess(OtherProcess):
    """A backend that reduces nothing."""

    num_processes = 1


def test_lecams_anchors_are_moving_averages_over_microbatches_and_processes() -> None:
    means = RunningMeans()
    means.observe(torch.tensor([1.0, 3.0]), torch.tensor([0.0]))
    means.observe(torch.tensor([4.0]), torch.tensor([-2.0]))
    means.settle(OneProcess())
    torch.testing.assert_close(means.anchors, torch.tensor([3.0, -1.0]))
    means.observe(torch.tensor([1.0]), torch.tensor([1.0]))
    means.settle(OtherProcess())
    torch.testing.assert_close(means.anchors, torch.tensor([0.99 * 3 + 0.01 * 2, -0.99]))


def test_lecam_begins_with_the_second_step_and_its_memory_is_kept() -> None:
    term, outputs = lecam_term(0.3), _play()
    assert float(term.scaled(outputs)) == 0
    term.memory.settle(OneProcess())
    second = float(term.scaled(outputs))
    real, fake = outputs.real_features[0][-1], outputs.fake_features[0][-1]
    assert second == pytest.approx(0.3 * float(regularisers.lecam(real, fake, real.mean(), fake.mean())))
    other = lecam_term(0.3)
    other.memory.load_state_dict(term.memory.state_dict())
    assert float(other.scaled(outputs)) == second
