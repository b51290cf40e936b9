from __future__ import annotations

from augkit.balance.plain_options import gate_options
from augkit.settings import GateSettings, Settings


def test_every_setting_of_the_gate_is_handed_down() -> None:
    """One that were not would move neither the gate nor what a fitted gate is found again by."""
    changed = GateSettings(budget=0.25, folds=3, slack=3.0, quantile=0.1, min_part_pixels=5, checks=("view",))
    options = gate_options(Settings(gate=changed))
    found = options.of_judges() | options.of_bounds()
    assert found == changed.model_dump(mode="json", exclude={"segmenter"})
