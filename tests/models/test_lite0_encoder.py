"""The encoder that is fine-tuned: Lite0's own features, with its first stages frozen."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from augkit.core.errors import ConfigError
from augkit.models.fpn import build_fpn
from augkit.models.lite0 import Lite0Features
from augkit.models.lite0_encoder import CHANNELS, Lite0Encoder


@pytest.fixture(scope="module")
def photos() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.rand(2, 3, 64, 64) * 2 - 1


def test_its_maps_are_lite0s_with_the_norms_folded_away(photos: torch.Tensor) -> None:
    encoder = Lite0Encoder(pretrained=True, frozen=2).train()
    with torch.no_grad():
        for own, exact in zip(encoder(photos), Lite0Features()(photos), strict=True):
            torch.testing.assert_close(own, exact, rtol=1e-3, atol=1e-3)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in encoder.modules())
    assert tuple(own.shape[1] for own in encoder(photos)) == CHANNELS


@pytest.mark.parametrize("frozen", [0, 2, 7])
def test_frozen_stages_keep_their_weights_and_nothing_for_a_backward_pass(frozen: int, photos: torch.Tensor) -> None:
    encoder = Lite0Encoder(pretrained=False, frozen=frozen)
    maps = encoder(photos)
    trained = {name for name, parameter in encoder.named_parameters() if parameter.requires_grad}
    stages = {name.split(".")[1] for name in trained if name.startswith("stages.")}
    assert stages == {str(stage) for stage in range(frozen, 7)}
    assert any(name.startswith("first.") for name in trained) is (frozen == 0)
    assert [own.requires_grad for own in maps] == [stage >= frozen for stage in (0, 1, 2, 4, 6)]


@pytest.mark.parametrize("options", [{"frozen": 8}, {"widths": (8, 8)}])
def test_stages_and_widths_that_there_are_not_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="three widths, 0 to 7 stages"):
        build_fpn(4, False, **options)  # type: ignore[arg-type]
