"""Results as JSON, and where they are kept for the report."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from augkit.core.atomic_file import write_text
from augkit.core.workspace import Workspace


def as_json(result: dict[str, Any]) -> str:
    """One JSON object, with null for numbers that are none."""
    return json.dumps(defined(result), indent=1, default=str, allow_nan=False)


def keep(workspace: Workspace, name: str, result: dict[str, Any]) -> Path:
    """Writes a result to ``WORKSPACE/reports/NAME.json``; tells the path."""
    path = workspace.reports / f"{name}.json"
    write_text(path, as_json(result) + "\n")
    return path


def defined(tree: Any) -> Any:
    """Nested plain data, with null for numbers that are none: NaN and infinity are no JSON."""
    if isinstance(tree, dict):
        return {key: defined(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [defined(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
