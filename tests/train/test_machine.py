from __future__ import annotations

from accelerate.state import PartialState

from augkit.train.machine import accelerator


def test_trainings_of_one_process_may_differ_in_precision() -> None:
    """As in a notebook: Accelerate by itself asks to start it again."""
    first = accelerator("bf16")
    connected = PartialState._shared_state
    assert [first.mixed_precision, accelerator("fp32").mixed_precision] == ["bf16", "no"]
    assert PartialState._shared_state is connected and connected
    assert accelerator("bf16").mixed_precision == "bf16"
