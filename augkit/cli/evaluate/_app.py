"""The group that the sub-commands join."""

from __future__ import annotations

import typer

from augkit.cli._app import app

evaluate = typer.Typer(help="Measure the result: each sub-command asks one question.", no_args_is_help=True)
app.add_typer(evaluate, name="evaluate")
