from __future__ import annotations

import pytest
import torch
from accelerate.state import PartialState

from augkit.train.machine import accelerator, processor_bf16_is_fast


def test_trainings_of_one_process_may_differ_in_precision() -> None:
    """As in a notebook: Accelerate by itself asks to start it again."""
    first = accelerator("bf16")
    connected = PartialState._shared_state
    assert [first.mixed_precision, accelerator("fp32").mixed_precision] == ["bf16", "no"]
    assert PartialState._shared_state is connected and connected
    assert accelerator("bf16").mixed_precision == "bf16"


def test_a_processor_that_is_held_to_older_instructions_computes_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    for held, native in (("", True), ("ALL", True), ("AVX512_CORE_BF16", True), ("avx2", False), ("AVX2", False)):
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", held)
        assert processor_bf16_is_fast() is native
