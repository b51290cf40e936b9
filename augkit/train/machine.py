"""What the machine offers, and Accelerate set up for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, is_initialized

from augkit.core.arithmetic import Precision
from augkit.core.errors import ConfigError
from augkit.core.memory import keep_freed_memory
from augkit.core.trackers import Tracker


def resolve_precision(asked: Precision) -> str:
    """``bf16`` where the processor multiplies it faster than fp32, else ``no``; what was asked for is kept.

    Raises ConfigError for bf16 on a device without it.
    """
    if asked == "fp32":
        return "no"
    fast = bf16_is_fast()
    if asked == "bf16" and torch.cuda.is_available() and not torch.cuda.is_bf16_supported():
        raise ConfigError("precision bf16 on a GPU without bf16", "auto or fp32", "--set precision=auto")
    return "bf16" if asked == "bf16" or fast else "no"


def bf16_is_fast() -> bool:
    """Whether matrix products run natively in bf16: a GPU with it, or a CPU with AVX512-BF16 or AMX."""
    return bool(torch.cuda.is_bf16_supported()) if torch.cuda.is_available() else processor_bf16_is_fast()


_WITHOUT_BF16 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2", "AVX512_CORE", "AVX512_CORE_VNNI")
"""What ONEDNN_MAX_CPU_ISA may say: the instructions that oneDNN, which multiplies, is held to."""


def processor_bf16_is_fast() -> bool:
    """The same of the CPU alone, whatever GPU there is beside it: as it is, or as ONEDNN_MAX_CPU_ISA has it used."""
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in _WITHOUT_BF16:
        return False
    try:
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    except AttributeError:  # private functions that newer releases may drop: fp32 is always right
        return False


def accelerator(precision: Precision, track: Sequence[Tracker] = (), folder: Path | None = None) -> Accelerator:
    """Accelerate with the machine's precision; keeps freed memory for the next step on the CPU.

    ``track`` are trackers for ``train.tracking``, which may leave files in the ``folder``; TensorBoard's curves are
    every run's own.
    """
    keep_freed_memory()
    others, wanted = [name for name in track if name != "tensorboard"], resolve_precision(precision)
    if is_initialized() and AcceleratorState().mixed_precision != wanted:
        AcceleratorState._reset_state()  # a process has one; the processes stay connected
    return Accelerator(mixed_precision=wanted, log_with=others or None, project_dir=folder)
