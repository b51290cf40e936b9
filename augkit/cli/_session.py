"""What every verb shares: the workspace, the settings, and where output goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from augkit.api.plain_data import as_json
from augkit.cli._answer import ANSWERED
from augkit.core.launcher import is_main_process
from augkit.core.presets import setting_presets
from augkit.core.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from augkit.api.shown import Shown
    from augkit.settings import Settings

WorkspaceOption = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", help="Folder of the workspace (AUGKIT_WORKSPACE, or the current folder)."),
]
ConfigOption = Annotated[
    str | None, typer.Option("--config", "-c", help=f"YAML file, or a preset: {', '.join(setting_presets())}.")
]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", help="One setting, e.g. mask.steps=500; may be repeated.")
]
TrackOption = Annotated[
    list[str] | None,
    typer.Option("--track", help="Tell a tracker of the losses: wandb, trackio, mlflow, tensorboard; repeatable."),
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
        from augkit.api.opened import settings_of

        return settings_of(self.workspace, self.config, self.overrides)

    @cached_property
    def console(self) -> Console:
        """Human output: stdout, or stderr where stdout carries JSON."""
        from rich.console import Console

        return Console(stderr=self.as_json)

    def show(self, result: Shown) -> None:
        """Prints a result of ``augkit.api``."""
        self.emit(result.to_dict(), "" if self.as_json else result.table())

    def emit(self, result: dict[str, Any], human: RenderableType) -> None:
        """Prints a verb's result for people, or as JSON."""
        if not is_main_process():
            return
        if self.as_json:
            ANSWERED.set(True)
            print(as_json(result))
        else:
            self.console.print(human)


def track_setting(names: Sequence[str] | None) -> list[str]:
    """What ``--track`` sets."""
    return [f"track=[{', '.join(names)}]"] if names else []


def open_session(
    workspace: Path | None, as_json: bool = False, config: str | None = None, overrides: Sequence[str] | None = None
) -> Session:
    """The session of a command line."""
    place = Workspace(workspace) if workspace is not None else Workspace.default()
    return Session(place, as_json, config, tuple(overrides or ()))
