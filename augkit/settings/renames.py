"""Settings that have another name now. The old one is accepted until the next version, with a warning."""

from __future__ import annotations

import copy
import warnings
from typing import Any

from augkit.core.errors import RenamedWarning

RENAMED = {
    "balance.style_from": "balance.exemplar",
    "image.guides": "image.conditioning",
}
"""By the old path."""


def present_path(path: str) -> str:
    """The path as it is now; an old one is warned of."""
    if path not in RENAMED:
        return path
    new = RENAMED[path]
    warnings.warn(f"{path} is called {new} now: the old name goes with the next version", RenamedWarning, stacklevel=2)
    return new


def renamed(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree of settings under present names. Where a setting has both names, the old one stays, to be refused."""
    tree = copy.deepcopy(tree)
    for old, new in RENAMED.items():
        (source, key), (target, name) = _section(tree, old), _section(tree, new)
        if key in source and name not in target:
            present_path(old)
            target[name] = source.pop(key)
    return tree


def _section(tree: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The section that holds the path's setting, and the setting's own name; an empty one where there is none."""
    *sections, key = path.split(".")
    for section in sections:
        inner = tree.get(section)
        if not isinstance(inner, dict):
            return {}, key
        tree = inner
    return tree, key
