"""What every picture model must do, at every size: shapes, gradients of both orders, blocks, state, a bad size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from augkit.core.errors import ConfigError
from augkit.core.needs import DISCRIMINATOR, OWN_SCORE
from augkit.models import attention, discriminator_norm, sngan
from augkit.models.conditioning import Discriminator, LinearHead
from augkit.models.registries import PICTURE_MODELS, PictureModel, Trunk

NAMES = sorted(PICTURE_MODELS)
ALIKE = {"dcgan-deconvolution", "dcgan-bigger", "resnet34-gan"}
"""The code of ``dcgan`` and ``resnet18-gan`` in other widths: left out where numbers are computed."""

DISTINCT = [name for name in NAMES if name not in ALIKE]
COMPUTED: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in DISTINCT),
    ("dcgan", {"norm": "spectral"}),
    ("dcgan-upsampling", {"norm": "layer"}),
    ("resnet18-gan", {"norm": "none"}),
    ("resnet18-gan", {"norm": "spectral", "attention": 32}),
    ("sngan", {"attention": 32, "spectral_generator": True}),
]
"""Options that change what a network is made of are tried on one of their family."""

SMALL: dict[str, dict[str, Any]] = {"sngan": {"ch": 16}, "vae-dense": {"hidden": 64}}
"""Options that make a network quick; one that is not here runs as it comes."""


def _build(name: str, options: dict[str, Any], channels: int = 3, size: int = 64, condition: int = 0) -> PictureModel:
    return PICTURE_MODELS[name](channels, size, condition, **SMALL.get(name, {}), **options)


def _parameters(model: PictureModel) -> Iterator[tuple[str, nn.Parameter]]:
    for part in (model.generator, model.trunk):
        yield from part.named_parameters()


def _behind_gamma(name: str) -> bool:
    """Self-attention's weights, which wait for its gamma to leave 0."""
    return any(word in name.split(".") for word in ("query", "key", "value", "back"))


@pytest.fixture
def without_spectral_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    """It changes no shape, and power iterations on PyTorch's meta device take seconds a network."""
    for file in (attention, discriminator_norm, sngan):
        monkeypatch.setattr(file, "spectral_norm", lambda layer: layer)


@pytest.fixture(scope="module", params=COMPUTED, ids=lambda variant: " ".join([variant[0], *variant[1]]))
def model(request: pytest.FixtureRequest) -> PictureModel:
    """A model of every kind at 64 px, in colours. Tests may leave gradients in it."""
    torch.manual_seed(0)
    return _build(*request.param)


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> None:
    """Training mode and no gradients at the start of each test."""
    if "model" in request.fixturenames:
        shared: PictureModel = request.getfixturevalue("model")
        for part in (shared.generator, shared.trunk):
            part.train().zero_grad(set_to_none=True)


@pytest.mark.usefixtures("without_spectral_norm")
@pytest.mark.parametrize("channels", [3, 19])
@pytest.mark.parametrize("size", [64, 128, 256])
@pytest.mark.parametrize("name", NAMES)
def test_every_size_gives_its_shapes_both_ways(name: str, size: int, channels: int) -> None:
    """Without numbers (on PyTorch's meta device): networks in full width, forward and backward."""
    with torch.device("meta"):
        model = PICTURE_MODELS[name](channels, size, 16)
        pictures = model.generator(torch.randn(2, model.latent + 16))
        features = model.trunk(pictures)
    assert pictures.shape == (2, channels, size, size)
    assert features.shape == (2, model.trunk.features)
    features.sum().backward()
    assert [parameter for parameter, value in _parameters(model) if value.grad is None] == []


def test_every_weight_is_trained(model: PictureModel) -> None:
    """Real numbers. Against random directions: normed features have a fixed sum of squares."""
    torch.manual_seed(1)
    pictures = model.generator(torch.randn(3, model.latent))
    features = model.trunk(pictures)
    assert pictures.isfinite().all() and features.isfinite().all()
    assert pictures[0].sub(pictures[1]).abs().max() > 0 and features[0].sub(features[1]).abs().max() > 0
    loss = (pictures * torch.randn_like(pictures)).mean() + (features * torch.randn_like(features)).mean()
    loss.backward()
    still = [name for name, value in _parameters(model) if value.grad is None or not value.grad.any()]
    assert [name for name in still if not _behind_gamma(name)] == []


def test_the_pictures_are_raw(model: PictureModel) -> None:
    """What the last layer with weights gives is the picture: no tanh, no softmax."""
    last = [m for m in model.generator.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)][-1]
    outputs: list[Tensor] = []
    hook = last.register_forward_hook(lambda _, __, output: outputs.append(output))
    pictures = model.generator.eval()(torch.randn(2, model.latent))
    hook.remove()
    assert torch.equal(outputs[-1].flatten(), pictures.flatten())


def test_gradients_of_gradients_reach_every_layer(model: PictureModel) -> None:
    """What R1, WGAN-GP (through the trunk) and LOGAN (through both networks) differentiate twice."""
    torch.manual_seed(2)
    z = torch.randn(2, model.latent, requires_grad=True)
    features = model.trunk(model.generator(z))
    (slope,) = torch.autograd.grad((features * torch.randn_like(features)).sum(), z, create_graph=True)
    assert slope.any()
    slope.square().sum().backward()
    weights = [(name, p) for name, p in _parameters(model) if p.ndim >= 2 and not _behind_gamma(name)]
    assert [name for name, p in weights if p.grad is None or not p.grad.isfinite().all()] == []
    assert [name for name, p in weights if not p.grad.any()] == []  # type: ignore[union-attr]


def test_a_trunk_says_truly_whether_a_score_is_its_pictures_own(model: PictureModel) -> None:
    """What R1, WGAN-GP and LOGAN need of D: the slope of one score is 0 at all other pictures."""
    torch.manual_seed(4)
    discriminator = Discriminator(model.trunk, LinearHead(model.trunk.features))
    assert DISCRIMINATOR in discriminator.gives
    pictures = torch.rand(3, 3, 64, 64, requires_grad=True)
    scores = discriminator(pictures, torch.zeros(3, dtype=torch.long), torch.zeros(3, 0)).scores
    [slopes] = torch.autograd.grad(scores[0], pictures)
    assert slopes[0].any() and bool(slopes[1:].any()) is (OWN_SCORE not in discriminator.gives)


def test_nothing_is_overwritten_in_place(model: PictureModel) -> None:
    parts = [*model.generator.modules(), *model.trunk.modules()]
    assert not any(getattr(part, "inplace", False) for part in parts)


def test_blocks_cover_the_trunk_from_the_input_side(model: PictureModel) -> None:
    trunk = model.trunk
    assert isinstance(trunk, Trunk) and len(trunk.blocks) >= 2
    of_blocks = [parameter for block in trunk.blocks for parameter in block.parameters()]
    of_trunk = list(trunk.parameters())
    assert [id(parameter) for parameter in of_blocks] == [id(parameter) for parameter in of_trunk]
    assert all(any(True for _ in block.parameters()) for block in trunk.blocks)
    first = next(m for m in trunk.blocks[0].modules() if isinstance(m, nn.Conv2d | nn.Linear))
    assert first.weight.shape[1] in (3, 3 * 64 * 64)
    x = torch.rand(2, 3, 64, 64)
    expected = trunk.eval()(x)
    for block in trunk.blocks:
        x = block(x)
    assert torch.equal(x, expected)


def test_a_frozen_start_takes_no_gradient_and_the_rest_does(model: PictureModel) -> None:
    blocks = model.trunk.blocks
    try:
        blocks[0].requires_grad_(False)
        model.trunk(torch.rand(2, 3, 64, 64)).square().sum().backward()
        assert all(parameter.grad is None for parameter in blocks[0].parameters())
        assert all(parameter.grad is not None for block in blocks[1:] for parameter in block.parameters())
    finally:
        blocks[0].requires_grad_(True)


@pytest.mark.parametrize("name", DISTINCT)
def test_state_goes_round_and_evaluation_repeats_itself(name: str) -> None:
    torch.manual_seed(3)
    one, other = (_build(name, {}, size=32) for _ in range(2))
    z = torch.randn(3, one.latent)
    one.trunk(one.generator(z))  # moves what training moves besides the weights
    for part, twin in ((one.generator, other.generator), (one.trunk, other.trunk)):
        part.eval(), twin.eval()
        twin.load_state_dict(part.state_dict())
    with torch.no_grad():
        made, again, alone, twins = one.generator(z), one.generator(z), one.generator(z[:1]), other.generator(z)
        assert torch.equal(made, again) and torch.equal(made, twins)
        torch.testing.assert_close(made[:1], alone, rtol=1e-3, atol=1e-4)  # no picture depends on its batch
        features = one.trunk(made)
        assert torch.equal(features, other.trunk(made))
        for part in (one.generator, one.trunk):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        torch.testing.assert_close(one.trunk(one.generator(z)), features, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("size", [8, 48, 96, 2048])
@pytest.mark.parametrize("name", NAMES)
def test_a_size_that_no_network_makes_is_refused(name: str, size: int) -> None:
    with pytest.raises(
        ConfigError, match=rf"{name} at {size} px(.|\n)*power of two(.|\n)*mask\.size, unconditional\.size"
    ):
        PICTURE_MODELS[name](3, size)


@pytest.mark.parametrize("name", NAMES)
def test_an_option_that_there_is_not_is_a_type_error(name: str) -> None:
    with pytest.raises(TypeError, match="bass"):
        PICTURE_MODELS[name](3, 64, bass=3)


@pytest.mark.usefixtures("without_spectral_norm")
@pytest.mark.parametrize("name", NAMES)
def test_the_condition_widens_gs_input_alone(name: str) -> None:
    with torch.device("meta"):
        plain, told = (PICTURE_MODELS[name](3, 64, condition) for condition in (0, 16))
        assert told.generator(torch.randn(2, told.latent + 16)).shape == (2, 3, 64, 64)
    shapes = [[tuple(p.shape) for p in model.trunk.parameters()] for model in (plain, told)]
    assert shapes[0] == shapes[1] and plain.latent == told.latent
