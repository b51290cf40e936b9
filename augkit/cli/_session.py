"""What every verb shares: the workspace, the settings, and where output goes."""

from __future__ import annotations

import os
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
from augkit.core.remote_workspace import by_url, workspace_at
from augkit.core.workspace import ENVIRONMENT, Workspace

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from augkit.api.shown import Shown
    from augkit.settings import Settings

WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace", "-w", help="The workspace's folder or URL (AUGKIT_WORKSPACE, or the current folder).",
        metavar="DIR|URL",
    ),
]  # fmt: skip
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
            print(by_url(as_json(result)))
        else:
            self.console.print(_named(human))


def _named(human: RenderableType) -> RenderableType:
    """The same with URLs for the paths of what mirrors them, where texts and captions name any."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if isinstance(human, Group):
        return Group(*map(_named, human.renderables))
    if isinstance(human, Text) and by_url(human.plain) != human.plain:
        return Text(by_url(human.plain))
    if isinstance(human, Table) and isinstance(human.caption, str):
        human.caption = by_url(human.caption)
    return by_url(human) if isinstance(human, str) else human


def track_setting(names: Sequence[str] | None) -> list[str]:
    """What ``--track`` sets."""
    return [f"track=[{', '.join(names)}]"] if names else []


def open_session(
    workspace: str | Path | None,
    as_json: bool = False,
    config: str | None = None,
    overrides: Sequence[str] | None = None,
) -> Session:
    """The session of a command line. Raises ShardError where a URL leads nowhere."""
    place = workspace_at(os.environ.get(ENVIRONMENT, ".") if workspace is None else workspace)
    return Session(place, as_json, config, tuple(overrides or ()))
