"""Networks read for other parts: what they do is worked out by the inputs, not by their weights' names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from augkit.core.errors import CheckpointError
from augkit.models.patch import MultiScaleDiscriminator
from augkit.models.projected import ProjectedDiscriminator
from augkit.models.registries import PHOTO_GENERATORS
from augkit.train.transfer import Axis, input_axes, reread

SMALL = {"translator": {"base": 8, "levels": 2, "blocks": 1}, "pix2pixhd-global": {"base": 8, "levels": 2, "blocks": 1}}
BUILDS: dict[str, Callable[[int], nn.Module]] = {
    **{name: (lambda channels, name=name: PHOTO_GENERATORS[name](channels, **SMALL[name])) for name in SMALL},
    **{
        f"D {norm}": (lambda channels, norm=norm: MultiScaleDiscriminator(channels, 8, 2, 2, norm))
        for norm in ("instance", "none")
    },
}
SHARES = torch.tensor([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 1], [0, 1 / 3, 1 / 3, 1 / 3], [0, 0, 1, 0]])


def outputs(network: nn.Module, inputs: torch.Tensor) -> list[torch.Tensor]:
    found = network(inputs)
    return [found] if isinstance(found, torch.Tensor) else [layer for scale in found for layer in scale]


@pytest.mark.parametrize("name", BUILDS)
@torch.no_grad()
def test_what_a_network_does_for_a_part_it_does_for_what_the_part_is_now(name: str) -> None:
    """New inputs x read by the new network are old inputs ``shares' x`` read by the old one."""
    torch.manual_seed(0)
    build = BUILDS[name]
    old, new = build(4).eval(), build(5).eval()
    new.load_state_dict(reread(old.state_dict(), input_axes(build, 5), SHARES))
    inputs = torch.randn(2, 5, 32, 32)
    mapped = torch.einsum("ts,nthw->nshw", SHARES, inputs)
    for found, expected in zip(outputs(new, inputs), outputs(old, mapped), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_every_scale_of_d_reads_the_input() -> None:
    axes = input_axes(lambda channels: MultiScaleDiscriminator(channels, 8, 2, 2, "spectral"), 5)
    weight = "stages.0.0.parametrizations.weight"
    expected = {f"scales.{scale}.{weight}.original": Axis(1, 1) for scale in (0, 1)}
    expected |= {f"scales.{scale}.{weight}.0._v": Axis(0, 16) for scale in (0, 1)}
    assert axes == expected


def test_a_projected_d_reads_the_parts_in_its_heads() -> None:
    axes = input_axes(lambda parts: ProjectedDiscriminator(parts + 1 + 3, 8), 5)
    assert axes == {f"heads.{head}.told.weight": Axis(1, 1) for head in range(3)}


def test_a_width_that_equals_the_channels_is_not_taken_for_the_input() -> None:
    assert list(input_axes(lambda channels: MultiScaleDiscriminator(channels, 8, 2, 1, "none"), 8)) == [
        "scales.0.stages.0.0.weight"
    ]


def test_the_vector_of_spectral_norm_keeps_its_length() -> None:
    build = lambda channels: MultiScaleDiscriminator(channels, 8, 2, 1, "spectral")  # noqa: E731
    moved = reread(build(4).state_dict(), input_axes(build, 5), SHARES)
    vectors = [value for name, value in moved.items() if name.endswith("0.0.parametrizations.weight.0._v")]
    assert [v.shape for v in vectors] == [(5 * 16,)] and vectors[0].norm().item() == pytest.approx(1)


def test_what_follows_the_mask_is_read_as_before() -> None:
    weights = torch.arange(12.0).reshape(2, 6, 1, 1)
    moved = reread({"w": weights}, {"w": Axis(1, 1)}, SHARES)["w"]
    assert moved.shape == (2, 7, 1, 1)
    assert torch.equal(moved[:, 5:], weights[:, 4:]) and torch.equal(moved[:, 4], weights[:, 2])
    torch.testing.assert_close(moved[:, 1], weights[:, 1:3].mean(1))


def test_fewer_channels_than_parts_are_refused() -> None:
    build = BUILDS["translator"]
    with pytest.raises(CheckpointError, match="reads 3 channels"):
        reread(build(3).state_dict(), input_axes(build, 5), SHARES)
