"""LeCam: its formula, and the anchors that it keeps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from augkit.gan.players import StepOutputs
from augkit.gan.running_means import RunningMeans
from augkit.gan.techniques.lecam import LeCam, lecam


def test_lecam() -> None:
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.0, 3.0])
    value = lecam(real, fake, torch.tensor(1.0), torch.tensor(0.5))
    assert float(value) == pytest.approx((1.5**2 + 0) / 2 + (1 + 0) / 2)


def test_lecam_leaves_a_d_alone_that_stays_within_its_anchors() -> None:
    real, fake = torch.full((3,), -1.0), torch.full((3,), 1.0)
    assert float(lecam(real, fake, torch.tensor(1.0), torch.tensor(-1.0))) == 0


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


def test_it_begins_with_the_second_step() -> None:
    torch.manual_seed(0)
    real, fake = torch.randn(4), torch.randn(4)
    outputs = StepOutputs(real_features=[[real]], fake_features=[[fake]])
    [term] = LeCam(lecam=0.3).terms("D", torch.nn.Identity())
    assert float(term.scaled(outputs)) == 0
    term.state.settle(OneProcess())
    assert float(term.scaled(outputs)) == pytest.approx(0.3 * float(lecam(real, fake, real.mean(), fake.mean())))
