"""Initial weights: their laws, and that every kind of layer gets them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from augkit.models.conditioning import ClassInput
from augkit.models.initialise import INITIALISATIONS, normal, orthogonal, xavier


def _layers() -> nn.ModuleList:
    torch.manual_seed(0)
    return nn.ModuleList(
        [nn.Conv2d(32, 64, 3), nn.ConvTranspose2d(64, 32, 4), nn.Linear(300, 100), nn.Embedding(12, 500)]
    )


def _weights(layers: nn.Module) -> list[Tensor]:
    return [layer.weight.detach() for layer in layers.children()]  # type: ignore[union-attr, operator, misc]


def test_normal_has_std_002_and_norm_weights_around_1() -> None:
    layers = normal(nn.ModuleList([*_layers(), nn.BatchNorm2d(4000), nn.GroupNorm(2, 4000)]))
    *weights, batch, group = _weights(layers)
    for weight in weights:
        assert weight.std().item() == pytest.approx(0.02, rel=0.05) and abs(weight.mean().item()) < 1e-3
    for weight in (batch, group):
        assert weight.mean().item() == pytest.approx(1, abs=2e-3) and weight.std().item() == pytest.approx(
            0.02, rel=0.1
        )


def test_xavier_is_uniform_within_its_bound() -> None:
    fans = [(32 + 64) * 9, (64 + 32) * 16, 300 + 100, 12 + 500]
    for weight, fan in zip(_weights(xavier(_layers())), fans, strict=True):
        bound = math.sqrt(6 / fan)
        assert weight.abs().max() <= bound and weight.abs().max() > 0.99 * bound
        assert weight.var().item() == pytest.approx(2 / fan, rel=0.05)  # a uniform law's variance is bound^2 / 3


def test_orthogonal_matrices_are_orthonormal_on_their_short_side() -> None:
    for weight in _weights(orthogonal(_layers())):
        matrix = weight.flatten(1)
        gram = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
        torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-5, rtol=0)


def test_a_tall_matrix_has_orthonormal_columns() -> None:
    weight = orthogonal(nn.Linear(20, 50)).weight
    torch.testing.assert_close(weight.T @ weight, torch.eye(20), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", sorted(INITIALISATIONS))
def test_biases_become_0_and_norms_lose_what_they_had(name: str) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 4), nn.BatchNorm2d(4, affine=False))
    for parameter in module.parameters():
        nn.init.constant_(parameter, 7.0)
    assert INITIALISATIONS[name](module) is module
    for layer in list(module)[:3]:
        assert not layer.bias.any() and (layer.weight - 7).abs().min() > 1  # type: ignore[union-attr, operator]
    if name != "normal":
        assert (module[1].weight == 1).all()  # type: ignore[union-attr]


@pytest.mark.parametrize("name", sorted(INITIALISATIONS))
def test_layers_under_spectral_norm_are_drawn_and_measured_again(name: str) -> None:
    """The stored weight follows the law; what the layer uses has a largest singular value of about 1 at once."""
    for training in (True, False):
        torch.manual_seed(0)
        layer = spectral_norm(nn.Conv2d(16, 32, 3)).train(training)
        plain = nn.Conv2d(16, 32, 3)
        original = layer.parametrizations.weight.original
        nn.init.constant_(original, 50.0)
        torch.manual_seed(1)
        INITIALISATIONS[name](layer)
        torch.manual_seed(1)
        INITIALISATIONS[name](plain)
        assert torch.equal(original, plain.weight)
        used = layer.eval().weight.detach()
        assert torch.linalg.matrix_norm(used.flatten(1), 2).item() == pytest.approx(1, abs=0.05)
        assert layer.parametrizations.weight.training is False and original.requires_grad


def test_the_mode_of_a_spectral_layer_is_kept() -> None:
    for training in (True, False):
        layer = xavier(spectral_norm(nn.Linear(3, 3)).train(training))
        assert [part.training for part in layer.modules()] == [training] * len(list(layer.modules()))


@pytest.mark.parametrize("name", sorted(INITIALISATIONS))
def test_the_class_vector_beside_z_is_an_input_and_not_drawn(name: str) -> None:
    embedding = ClassInput(12, 16)
    before = embedding.weight.detach().clone()
    INITIALISATIONS[name](nn.ModuleList([embedding]))
    assert torch.equal(embedding.weight, before)
