"""``augkit classes``: how many pairs each class has."""

from __future__ import annotations

from augkit.cli._app import app
from augkit.cli._session import JsonOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb


@app.command("classes", cls=CatalogueVerb)
def classes(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Count the real pairs of each class."""
    from augkit.data.catalogue import read_catalogue
    from augkit.report.tables.class_table import class_counts, class_table

    session = open_session(workspace, as_json)
    rows = read_catalogue(session.workspace.require_catalogue())
    problems = sum(bool(row.problem) for row in rows)
    table = class_table(rows)
    if problems:
        table.caption = f"left out: {problems} with a problem"
    session.emit({"classes": class_counts(rows), "problems": problems}, table)
