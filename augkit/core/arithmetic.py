"""What numbers are computed in, and on."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]
"""What is asked for; ``auto`` leaves it to the machine."""
Device = Literal["auto", "cpu", "cuda"]
"""Where pairs are asked to be generated; ``auto`` leaves it to the machine."""
DeviceKind = Literal["cpu", "cuda"]
"""A kind of device that was decided on; bytes repeat on the same kind."""
Arithmetic = Literal["fp32", "bf16"]
"""A precision that was decided on."""
