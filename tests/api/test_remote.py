"""Functions of ``augkit.api`` at a workspace's URL."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import augkit.api

PLACED = {
    f"{file.stem}.{node.name}": [ast.unparse(decorator) for decorator in node.decorator_list]
    for file in sorted(Path(augkit.api.__file__).parent.rglob("*.py"))
    for node in ast.parse(file.read_text()).body
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.name != "open_workspace"
    if any(argument.annotation and ast.unparse(argument.annotation) == "Place" for argument in node.args.args)
}


@pytest.mark.parametrize("name", PLACED)
def test_what_it_writes_reaches_the_store(name: str) -> None:
    assert "remote_workspaces()" in PLACED[name]
