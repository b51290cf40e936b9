"""What numbers are computed in."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]
"""What is asked for; ``auto`` leaves it to the machine."""
Arithmetic = Literal["fp32", "bf16"]
"""A precision that was decided on."""
