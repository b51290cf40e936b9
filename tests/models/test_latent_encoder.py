from __future__ import annotations

import torch
from torch import nn

from augkit.core.classes import ALL_CLASSES
from augkit.models.conditioning import CONDITION
from augkit.models.latent_encoder import LatentEncoder

LATENT = 4


def test_the_encoder_predicts_in_units_of_the_latents() -> None:
    network = LatentEncoder(3, torch.full((LATENT,), 2.0), 3.0).eval()
    nn.init.zeros_(network.head.weight)
    nn.init.ones_(network.head.bias)
    pictures = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(network(pictures, torch.tensor([0, 1])), torch.full((2, LATENT), 5.0))


def test_only_an_encoder_with_classes_hears_of_the_class() -> None:
    pictures = torch.randn(1, 5, 16, 16, generator=torch.Generator().manual_seed(0))
    for classes, told in ((0, False), (len(ALL_CLASSES), True)):
        network = LatentEncoder(5, torch.zeros(LATENT), 1.0, classes).eval()
        one, other = (network(pictures, torch.tensor([number])) for number in (0, 4))
        assert torch.equal(one, other) is not told
        assert network.head.in_features == 512 + told * CONDITION


def test_its_trunk_is_a_resnet18() -> None:
    network = LatentEncoder(3, torch.zeros(100), 1.0)
    assert sum(p.numel() for p in network.trunk.parameters()) == 11_176_512  # torchvision's, without its head
