"""``augkit config``: the settings that there are, checked and explained before anything is done with them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import JsonOption, SetOption, WorkspaceOption, open_session

config = typer.Typer(help="List, show and check settings; a JSON schema for editors.", no_args_is_help=True)
app.add_typer(config, name="config")


@config.command("ls")
def ls(as_json: JsonOption = False) -> None:
    """List the presets, each with the command that it is for."""
    from rich.table import Table

    from augkit.settings import preset_path, presets

    found = {name: preset_path(name) for name in presets()}
    uses = {name: path.read_text().partition("\n")[0].removeprefix("# ") for name, path in found.items()}
    table = Table("preset", "for", title="Presets")
    for name, use in uses.items():
        table.add_row(name, use)
    result = {name: {"file": str(path), "for": uses[name]} for name, path in found.items()}
    open_session(None, as_json).emit({"presets": result}, table)


@config.command("show")
def show(
    source: Annotated[
        str | None, typer.Argument(metavar="[PRESET|FILE]", help="By default those that a command here would have.")
    ] = None,
    *,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print every setting, with its value, as YAML."""
    from augkit.settings import dump_settings

    session = open_session(workspace, as_json, source, overrides)
    if as_json:
        session.emit(session.settings.model_dump(mode="json"), "")
    else:
        print(dump_settings(session.settings), end="")  # as it is: a wrapped line would be no YAML


@config.command("validate")
def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="YAML files or presets.")],
    *,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check files of settings, all of them: an unknown key is answered with the nearest one."""
    from augkit.core.errors import ConfigError
    from augkit.settings import load_settings

    faults = []
    for file in files:
        try:
            load_settings(file, overrides or ())
        except ConfigError as error:
            faults.append(str(error))
    if faults:
        raise ConfigError("\n".join(faults))
    open_session(None, as_json).emit({"valid": files}, f"{len(files)} valid")


@config.command("schema")
def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, in place of stdout.")
    ] = None,
) -> None:
    """Print the JSON schema of the settings, with which editors complete and check YAML files."""
    import json

    from augkit.core.atomic_file import write_text
    from augkit.settings import Settings

    text = json.dumps(Settings.model_json_schema(by_alias=True), indent=1) + "\n"
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)
