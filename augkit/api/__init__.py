"""What the command line does, as functions: for notebooks and scripts.

Each takes a workspace (a folder, or a ``Workspace``) and settings (a preset, a YAML file or ``Settings``, and single
changes), and returns a typed result that shows itself in a notebook and says itself as plain data (``to_dict``).
Without a ``progress`` bars are drawn. What is wrong raises an ``AugkitError``, which says what was found, what was
expected and what to do. Importing this package costs nothing: a function imports what it needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augkit.api import evaluate
    from augkit.api.auditing import audit
    from augkit.api.balancing import balance, plan
    from augkit.api.checkup import machine_report
    from augkit.api.exporting import FullSize, export
    from augkit.api.importing import import_dataset
    from augkit.api.rendering import render, render_shards
    from augkit.api.segmenting import segment
    from augkit.api.training import train
    from augkit.api.workspace_view import WorkspaceView as Workspace

__all__ = [
    "FullSize",
    "Workspace",
    "audit",
    "balance",
    "evaluate",
    "export",
    "import_dataset",
    "machine_report",
    "plan",
    "render",
    "render_shards",
    "segment",
    "train",
]

_PLACES = {
    "FullSize": ("exporting", "FullSize"),
    "Workspace": ("workspace_view", "WorkspaceView"),
    "audit": ("auditing", "audit"),
    "balance": ("balancing", "balance"),
    "export": ("exporting", "export"),
    "import_dataset": ("importing", "import_dataset"),
    "machine_report": ("checkup", "machine_report"),
    "plan": ("balancing", "plan"),
    "render": ("rendering", "render"),
    "render_shards": ("rendering", "render_shards"),
    "segment": ("segmenting", "segment"),
    "train": ("training", "train"),
}


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        module, attribute = _PLACES[name]
        return getattr(importlib.import_module(f"augkit.api.{module}"), attribute)
    if name == "evaluate":
        return importlib.import_module("augkit.api.evaluate")
    raise AttributeError(f"module 'augkit.api' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
