"""What the wrappers add: the class to G and the encoder, heads to D."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from augkit.core.classes import ALL_CLASSES
from augkit.models.conditioning import (
    CONDITION,
    AuxiliaryHead,
    ConditionedGenerator,
    Discriminator,
    DiscriminatorOutput,
    Encoder,
    JointHead,
    LinearHead,
    ProjectionHead,
)
from augkit.models.mask_vae import build_mask_vae
from augkit.models.registries import Trunk

F, LATENT, C = 6, 4, len(ALL_CLASSES)
HEADS: dict[str, Callable[[bool], nn.Module]] = {
    "linear": lambda spectral: LinearHead(F, spectral),
    "projection": lambda spectral: ProjectionHead(F, spectral),
    "auxiliary": lambda spectral: AuxiliaryHead(F, spectral),
    "joint": lambda spectral: JointHead(F, LATENT, hidden=8, spectral=spectral),
    "joint by class": lambda spectral: JointHead(F, LATENT, conditional=True, hidden=8, spectral=spectral),
}
READS = {
    "linear": (False, False),
    "projection": (True, False),
    "auxiliary": (False, False),
    "joint": (False, True),
    "joint by class": (True, True),
}
"""Whether the score depends on the class, and on z."""


def _inputs() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(3, F), torch.tensor([0, 5, 11]), torch.randn(3, LATENT)


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("name", HEADS)
def test_heads_are_called_alike_and_read_what_they_say(name: str, spectral: bool) -> None:
    features, classes, z = _inputs()
    head = HEADS[name](spectral).eval()
    scores, logits = head(features, classes, z)
    assert scores.shape == (3,) and logits.shape == (3, C if name == "auxiliary" else 0)
    by_class, by_z = READS[name]
    assert torch.equal(head(features, classes.flip(0), z)[0], scores) is not by_class
    assert torch.equal(head(features, classes, z + 1)[0], scores) is not by_z
    assert not torch.equal(head(features + 1, classes, z)[0], scores)


@pytest.mark.parametrize("name", HEADS)
def test_spectral_heads_normalise_every_layer(name: str) -> None:
    for spectral in (False, True):
        layers = [m for m in HEADS[name](spectral).modules() if isinstance(m, nn.Linear | nn.Embedding)]
        assert layers and all(is_parametrized(layer, "weight") is spectral for layer in layers)


def test_linear_score_by_hand() -> None:
    features, classes, z = _inputs()
    head = LinearHead(F)
    assert isinstance(head.linear, nn.Linear)
    torch.testing.assert_close(head(features, classes, z)[0], features @ head.linear.weight[0] + head.linear.bias)


def test_projection_is_the_inner_product_with_the_classs_row() -> None:
    features, classes, z = _inputs()
    head = ProjectionHead(F)
    nn.init.zeros_(head.linear.weight), nn.init.zeros_(head.linear.bias)  # type: ignore[arg-type]
    rows = head.embed.weight[classes]  # type: ignore[index]
    torch.testing.assert_close(head(features, classes, z)[0], torch.einsum("nf,nf->n", rows, features))


def test_a_projection_on_many_features_does_not_drown_the_linear_score() -> None:
    torch.manual_seed(0)
    features = torch.randn(200, 8192)
    head = ProjectionHead(8192)
    scores = head(features, torch.arange(200) % C, torch.empty(200, 0))[0]
    assert scores.std() < 3  # an embedding from N(0, 1) would give about 90


def test_auxiliary_logits_are_linear_in_the_features_and_their_loss_reaches_them() -> None:
    features, classes, z = _inputs()
    features.requires_grad_()
    head = AuxiliaryHead(F)
    _, logits = head(features, classes, z)
    assert isinstance(head.classify, nn.Linear)
    torch.testing.assert_close(logits, features @ head.classify.weight.T + head.classify.bias)
    nn.functional.cross_entropy(logits, classes).backward()
    assert head.classify.weight.grad is not None and head.classify.weight.grad.any() and features.grad is not None
    assert head.linear.weight.grad is None  # type: ignore[union-attr]


def test_a_joint_score_has_second_derivatives_in_features_and_latent() -> None:
    features, classes, z = (t.double() if t.is_floating_point() else t for t in _inputs())
    head = JointHead(F, LATENT, conditional=True, hidden=5).double()
    inputs = (features.requires_grad_(), z.requires_grad_())
    assert torch.autograd.gradgradcheck(lambda f, latent: head(f, classes, latent)[0], inputs)


def test_a_discriminator_judges_with_its_trunk_and_head() -> None:
    trunk = Trunk([nn.Sequential(nn.Conv2d(3, F, 4), nn.Flatten())], F)
    judge, pictures = Discriminator(trunk, AuxiliaryHead(F)), torch.randn(3, 3, 4, 4)
    judgement = judge(pictures, torch.tensor([0, 1, 2]), torch.empty(3, 0))
    assert isinstance(judgement, DiscriminatorOutput)
    assert torch.equal(judgement.features, trunk(pictures))
    assert torch.equal(judgement.scores, judge.head.linear(judgement.features).squeeze(1))  # type: ignore[union-attr, operator]
    assert judgement.class_logits.shape == (3, C)


@pytest.mark.parametrize("told", [True, False])
def test_a_generator_differs_with_the_class_where_it_is_told(told: bool) -> None:
    torch.manual_seed(0)
    width = CONDITION if told else 0
    model = build_mask_vae(5, 16, width, latent=LATENT, base=8)
    generator = ConditionedGenerator(model.generator, C if told else 0, width)
    z = torch.randn(2, LATENT)
    one, other = (generator(z, torch.full((2,), number)) for number in (0, 7))
    assert torch.equal(one, other) is not told
    if told:
        joined = torch.cat([z, generator.join.embed.weight[[7, 7]]], 1)  # type: ignore[union-attr, index]
        assert torch.equal(model.generator(joined), other)
    else:
        assert torch.equal(model.generator(z), one)
        assert [tuple(p.shape) for p in generator.parameters()] == [
            tuple(p.shape) for p in model.generator.parameters()
        ]


@pytest.mark.parametrize("width", [0, CONDITION])
def test_an_encoder_gives_mean_and_log_variance_by_class(width: int) -> None:
    torch.manual_seed(0)
    encoder = Encoder(build_mask_vae(5, 16, latent=LATENT, base=8).trunk, LATENT, width)
    pictures = torch.rand(2, 5, 16, 16)
    mean, log_variance = encoder(pictures, torch.tensor([0, 0]))
    assert mean.shape == log_variance.shape == (2, LATENT)
    other, _ = encoder(pictures, torch.tensor([3, 3]))
    assert torch.equal(mean, other) is (width == 0)


@pytest.mark.parametrize("bias", [-1000.0, 1000.0])
def test_log_variance_is_kept_in_bounds(bias: float) -> None:
    encoder = Encoder(build_mask_vae(2, 16, latent=3, base=8).trunk, 3)
    nn.init.constant_(encoder.head.bias, bias)
    mean, log_variance = encoder(torch.zeros(1, 2, 16, 16), torch.tensor([0]))
    assert (log_variance == bias / 100).all() and mean.abs().min() > 900


def test_gradients_pass_through_the_joined_latent() -> None:
    """LOGAN differentiates twice with respect to z, the class's embedding beside it."""
    torch.manual_seed(0)
    model = build_mask_vae(3, 16, CONDITION, latent=LATENT, base=8)
    generator = ConditionedGenerator(model.generator)
    z = torch.randn(2, LATENT, requires_grad=True)
    (slope,) = torch.autograd.grad(generator(z, torch.tensor([1, 2])).square().sum(), z, create_graph=True)
    slope.square().sum().backward()
    embedding = generator.join.embed.weight  # type: ignore[union-attr]
    assert embedding.grad[1].any() and embedding.grad[2].any() and not embedding.grad[3].any()  # type: ignore[union-attr, index]
