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


COMMANDS = {
    f"{file.stem}.{node.name}": ast.unparse(node.decorator_list[0])
    for file in sorted((Path(augkit.api.__file__).parents[1] / "cli").rglob("*.py"))
    for node in ast.parse(file.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.decorator_list and ".command(" in ast.unparse(node.decorator_list[0])
    if any(
        ast.unparse(a.annotation) == "WorkspaceOption" for a in node.args.kwonlyargs + node.args.args if a.annotation
    )
}


READERS = {"doctor.doctor", "config.show", "config.validate"}


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - READERS))
def test_so_does_what_a_command_writes(name: str) -> None:
    assert "cls=" in COMMANDS[name]
