"""Processes that a launcher (torchrun, accelerate) starts together."""

from __future__ import annotations

import os


def is_main_process() -> bool:
    """Whether this process speaks for all that a launcher started; told by the variable that launchers set."""
    return os.environ.get("RANK", "0") == "0"
