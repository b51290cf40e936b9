"""Feature matching, worked by hand."""

from __future__ import annotations

import pytest
import torch

from augkit.gan.techniques.feature_matching import feature_matching


def _maps(*values: float) -> list[torch.Tensor]:
    """One constant map a value, each of another shape."""
    return [torch.full((2, number, 3, 2), value) for number, value in enumerate(values, 1)]


def test_feature_matching_by_hand() -> None:
    real = [_maps(1.0, 2.0, 100.0), _maps(0.0, 0.0, 50.0)]
    fake = [_maps(1.5, 4.0, -9.0), _maps(-1.0, 3.0, 7.0)]
    # Scale 1: (0.5 + 2) / 2; scale 2: (1 + 3) / 2; the last layer, the scores, does not count.
    assert feature_matching(real, fake).item() == pytest.approx((1.25 + 2.0) / 2)


def test_feature_matching_is_pix2pixhds_sum_over_ten() -> None:
    """Its weight is 4 / (n_layers + 1) / scales a layer, for 3 layers: 4 maps a scale besides the scores."""
    torch.manual_seed(0)
    real, fake = ([[torch.randn(2, 3, 4, 4) for _ in range(5)] for _ in range(2)] for _ in range(2))
    pairs = [(r, f) for rs, fs in zip(real, fake, strict=True) for r, f in zip(rs[:-1], fs[:-1], strict=True)]
    theirs = sum(10 * (4 / 4) / 2 * (r - f).abs().mean() for r, f in pairs)
    # Four layers of weight 1 are their sum; ours is their mean: a factor of 4.
    torch.testing.assert_close(theirs, 40 * feature_matching(real, fake))


def test_only_the_fake_is_trained_through_and_equal_maps_cost_nothing() -> None:
    real, fake = ([torch.randn(1, 2, 2, 2, requires_grad=True) for _ in range(2)] for _ in range(2))
    feature_matching([real], [fake]).backward()
    assert all(r.grad is None for r in real) and fake[0].grad is not None
    assert feature_matching([real], [[r.detach().clone() for r in real]]) == 0


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError):
        feature_matching([_maps(1.0, 2.0)], [])
