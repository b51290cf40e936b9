"""``augkit classes``: how many pairs each class has."""

from __future__ import annotations

from augkit.cli._app import app
from augkit.cli._session import JsonOption, WorkspaceOption, open_session


@app.command("classes")
def classes(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Count the real pairs of each class."""
    from rich.table import Table

    from augkit.data.catalogue import count_classes, read_catalogue

    session = open_session(workspace, as_json)
    rows = read_catalogue(session.workspace.require_catalogue())
    counts = count_classes(rows)
    table = Table("class", "pairs", "train", "val", "test", "problems", title="Real pairs")
    for car_class, count in counts.items():
        splits = [sum(r.car_class == car_class and not r.problem and r.split == s for r in rows) for s in ("train", "val", "test")]
        table.add_row(car_class.name, str(count), *map(str, splits), "")
    table.add_row("all", str(sum(counts.values())), "", "", "", str(sum(bool(row.problem) for row in rows)))
    session.emit({"classes": {c.name: n for c, n in counts.items()}, "problems": sum(bool(r.problem) for r in rows)}, table)
