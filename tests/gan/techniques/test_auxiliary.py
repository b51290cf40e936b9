"""ACGAN's class losses."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from augkit.gan.players import StepOutputs, Term
from augkit.gan.techniques.auxiliary import Auxiliary


def _term(player: str, weight: float = 1.0) -> Term:
    [term] = Auxiliary(auxiliary=weight, condition="auxiliary").terms(player, nn.Module())
    return term


def test_d_tells_the_class_of_real_and_of_made_pictures_and_g_of_made_ones() -> None:
    """Odena et al. 2017, eq. 3: L_C is the mean log chance of the class on real pictures plus that on made ones."""
    classes = torch.tensor([0, 2])
    real, fake = torch.zeros(2, 4), torch.tensor([[math.log(3), 0.0, 0.0, 0.0], [0.0, 0.0, math.log(3), 0.0]])
    outputs = StepOutputs(classes=classes, real_logits=real, fake_logits=fake)
    assert float(_term("D").scaled(outputs)) == pytest.approx(math.log(4) + math.log(6 / 3))
    assert float(_term("G", 0.5).scaled(outputs)) == pytest.approx(0.5 * math.log(6 / 3))


def test_ds_loss_reaches_both_opinions_and_gs_only_that_of_made_pictures() -> None:
    logits = [torch.zeros(2, 4, requires_grad=True) for _ in range(4)]
    for player, (real, fake) in (("D", logits[:2]), ("G", logits[2:])):
        outputs = StepOutputs(classes=torch.tensor([0, 2]), real_logits=real, fake_logits=fake)
        _term(player).scaled(outputs).backward()
    assert [bool(one.grad is not None and one.grad.any()) for one in logits] == [True, True, False, True]
