"""``augkit audit``: what is wrong with the data, before anybody trains on it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from augkit.cli._app import app
from augkit.cli._session import JsonOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb
from augkit.core.errors import DataError


class _AuditCommand(CatalogueVerb):
    """Lists the checks in its help; they are imported only when that is shown."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from augkit.data.audit.audit_check import CHECKS

        self.epilog = "Checks: " + "; ".join(f"{name} ({CHECKS[name].about})" for name in CHECKS)
        super().format_help(ctx, formatter)


@app.command("audit", cls=_AuditCommand)
def audit(
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 where there is a warning or worse.")] = False,
    write_exclude: Annotated[
        Path | None, typer.Option("--write-exclude", help="Write the photos to leave out, for import --exclude.")
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes; any number gives the same result.")] = 1,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the workspace's pairs and catalogue; write reports/audit.html, audit.json and parts.png."""
    from augkit.api.auditing import audit as checked
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json)
    with Bars() as bars:
        result = checked(session.workspace, workers=workers, write_exclude=write_exclude, progress=bars)
    session.show(result)
    if strict and (bad := result.found.of("fatal", "warning")):
        raise DataError(
            f"{len(bad)} finding(s): " + "; ".join(f"{finding.check}: {finding.message}" for finding in bad),
            "no warning and nothing fatal, with --strict",
            f"look at {result.files['page']}",
        )
