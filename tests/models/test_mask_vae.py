"""The mask VAE's own promises; the contract test covers the rest."""

from __future__ import annotations

import pytest
import torch

from augkit.errors import ConfigError
from augkit.models.mask_vae import build_mask_vae


@pytest.mark.parametrize("size", [16, 64])
def test_encode_and_decode_shapes(size: int) -> None:
    model = build_mask_vae(7, size, latent=5, base=8)
    masks = torch.nn.functional.one_hot(torch.randint(0, 7, (3, size, size)), 7).permute(0, 3, 1, 2).float()
    mean, log_variance = model.opponent(masks, torch.tensor([0, 4, 11]))
    assert mean.shape == log_variance.shape == (3, 5)
    assert model.generator(mean, torch.tensor([0, 4, 11])).shape == (3, 7, size, size)


def test_log_variance_is_kept_in_bounds() -> None:
    model = build_mask_vae(2, 16, latent=3, base=8)
    torch.nn.init.constant_(model.opponent.head.bias, 1000.0)  # type: ignore[union-attr, arg-type]
    _, log_variance = model.opponent(torch.zeros(1, 2, 16, 16), torch.tensor([0]))
    assert (log_variance == 10).all()


def test_a_base_that_group_norm_cannot_divide_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"base 12(.|\n)*multiple of 8"):
        build_mask_vae(7, 64, base=12)
