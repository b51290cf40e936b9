"""What every verb shares: the workspace, the settings, and where output goes."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.core.atomic_file import write_text
from augkit.core.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from augkit.settings import Settings

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="Folder of the workspace (AUGKIT_WORKSPACE, or the current folder)."),
]
ConfigOption = Annotated[
    str | None, typer.Option("--config", "-c", help="YAML file, or a preset: smoke, quick, cpu, gpu.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="One setting, e.g. mask.steps=500; may be repeated.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")]


@dataclass(frozen=True)
class Session:
    """One command's surroundings."""

    workspace: Workspace
    as_json: bool
    config: str | None = None
    overrides: tuple[str, ...] = ()

    @cached_property
    def settings(self) -> Settings:
        """The command's settings: those given, or the workspace's own, or the machine's default preset."""
        from augkit.settings import default_preset, load_settings

        source: str | Path | None = self.config
        if source is None:
            source = self.workspace.settings if self.workspace.settings.is_file() else default_preset()
        return load_settings(source, self.overrides)

    @cached_property
    def console(self) -> Console:
        """Human output: stdout, or stderr where stdout carries JSON."""
        from rich.console import Console

        return Console(stderr=self.as_json)

    def keep(self, name: str, result: dict[str, Any]) -> Path:
        """Writes a verb's result to ``WORKSPACE/reports/NAME.json``; tells the path."""
        path = self.workspace.reports / f"{name}.json"
        write_text(path, json.dumps(defined(result), indent=1, default=str, allow_nan=False) + "\n")
        return path

    def emit(self, result: dict[str, Any], human: RenderableType) -> None:
        """Prints a verb's result for people, or as JSON."""
        if not is_main_process():
            return
        if self.as_json:
            print(json.dumps(defined(result), indent=1, default=str, allow_nan=False))
        else:
            self.console.print(human)


def defined(tree: Any) -> Any:
    """Nested plain data, with null for numbers that are none: NaN and infinity are no JSON."""
    if isinstance(tree, dict):
        return {key: defined(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [defined(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree


def is_main_process() -> bool:
    """Whether this process speaks for all that a launcher started; told by the variable that launchers set."""
    return os.environ.get("RANK", "0") == "0"


def open_session(
    workspace: Path | None, as_json: bool = False, config: str | None = None, overrides: Sequence[str] | None = None
) -> Session:
    """The session of a command line."""
    place = Workspace(workspace) if workspace is not None else Workspace.default()
    return Session(place, as_json, config, tuple(overrides or ()))
