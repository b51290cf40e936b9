"""Orthogonal regularisation against its closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from augkit.gan.techniques.orthogonal import orthogonality


@pytest.mark.parametrize("layer", [nn.Linear(5, 4), nn.Conv2d(3, 6, 3), nn.ConvTranspose2d(4, 3, 4)])
def test_an_orthogonal_matrix_is_not_penalised(layer: nn.Module) -> None:
    weight = layer.weight
    assert isinstance(weight, torch.Tensor)
    rows = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
    basis = torch.linalg.qr(torch.randn(rows[0].numel(), len(rows))).Q.T * 3  # lengths do not matter
    with torch.no_grad():
        rows.copy_(basis.reshape(rows.shape))
    assert float(orthogonality(layer).detach()) == pytest.approx(0, abs=1e-8)


def test_the_orthogonal_penalty_is_the_rows_products() -> None:
    layer = nn.Linear(2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert float(orthogonality(layer).detach()) == pytest.approx(2 * 11**2)


def test_norms_and_embeddings_are_left_out() -> None:
    module = nn.Sequential(nn.BatchNorm2d(3), nn.Embedding(4, 3))
    assert float(orthogonality(module)) == 0
