"""``augkit doctor``: whether it runs here, and how."""

from __future__ import annotations

from augkit.cli._app import app
from augkit.cli._session import JsonOption, WorkspaceOption, open_session


@app.command("doctor")
def doctor(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Say what this machine offers: processor and precision, GPU, memory, disk, packages, Ray, weights."""
    from augkit.api.checkup import machine_report

    session = open_session(workspace, as_json)
    session.show(machine_report(session.workspace))
