"""Verbs: what all of them take, and what they refuse before they import anything heavy."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import typer
from typer.core import TyperCommand

from augkit.cli._log import open_log
from augkit.cli._manner import MANNER, Manner
from augkit.cli._session import open_session
from augkit.core.errors import ConfigError, RenamedWarning
from augkit.core.nearest import one_of
from augkit.core.remote_workspace import remote_workspaces


class Verb(TyperCommand):
    """A command whose settings are checked first, and which can be told how to show that it works."""

    needs_catalogue = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.params.extend(_shared_options())

    def invoke(self, ctx: Any) -> Any:
        """Calls the command. Raises ConfigError for settings, and DataError for a folder, that it cannot work with."""
        with remote_workspaces():
            return self._checked(ctx)

    def _checked(self, ctx: Any) -> Any:
        given = ctx.params
        if "config" in given:
            session = open_session(given.get("workspace"), False, given["config"], given.get("overrides"))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RenamedWarning)  # the command itself tells of them
                _ = session.settings
        if self.needs_catalogue:
            open_session(given.get("workspace")).workspace.require_catalogue()
        return super().invoke(ctx)


class CatalogueVerb(Verb):
    """A command that works on imported pairs."""

    needs_catalogue = True


@cache
def _shared_options() -> tuple[Any, ...]:
    """The options that every verb has, as typer makes them of a function."""
    app = typer.Typer(add_completion=False)

    @app.command()
    def options(
        progress: Annotated[
            str,
            typer.Option(
                "--progress", callback=_show_progress, expose_value=False,
                help="auto, bar, plain (a line every 30 s or 5 %) or none.",
            ),
        ] = "auto",
        log_file: Annotated[
            Path | None,
            typer.Option(
                "--log-file", callback=_log, expose_value=False,
                help="A file that progress, warnings and errors are added to.",
            ),
        ] = None,
    ) -> None:  # fmt: skip
        """Nobody calls it."""

    return tuple(option for option in typer.main.get_command(app).params if option.name in ("progress", "log_file"))


def _show_progress(manner: str) -> None:
    known = get_args(Manner)
    if manner not in known:
        raise ConfigError(f"--progress {manner}", one_of(manner, known))
    MANNER.set(cast("Manner", manner))


def _log(file: Path | None) -> None:
    if file is not None:
        open_log(file)
