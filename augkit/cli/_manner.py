"""The manner in which a command shows how far it is."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Literal

Manner = Literal["auto", "bar", "plain", "none"]
MANNER: ContextVar[Manner] = ContextVar("manner", default="auto")
"""What ``--progress`` asked for; ``auto`` is bars in a terminal and lines elsewhere."""
