"""What is wrong with the data, before anybody trains on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from augkit.api.bars import shown
from augkit.api.opened import Place, open_workspace
from augkit.api.shown import Shown
from augkit.core.remote_workspace import remote_workspaces

if TYPE_CHECKING:
    from rich.console import RenderableType

    from augkit.core.progress import Progress
    from augkit.data.audit.overview import Overview
    from augkit.data.audit.result import AuditResult


@dataclass(frozen=True)
class AuditReport(Shown):
    """The findings, the data by class and part, and the files that were written: page, chart and result."""

    found: AuditResult
    overview: Overview
    files: Mapping[str, Path]
    doors: str = ""
    """Why doors are unknown, where they are."""

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return {**self.found.to_dict(), "overview": self.overview.to_dict(), "doors": self.doors, **self._paths()}

    def table(self) -> RenderableType:
        """See ``Shown``."""
        from rich.console import Group

        from augkit.report.tables.finding_table import audit_summary

        return Group(audit_summary(self.found, self.overview, self._paths()), *([self.doors] if self.doors else []))

    @property
    def pictures(self) -> Sequence[Path]:
        """The chart."""
        return (self.files["chart"],)

    def _paths(self) -> dict[str, str]:
        return {name: str(path) for name, path in self.files.items()}


@remote_workspaces()
def audit(
    workspace: Place, *, workers: int = 1, write_exclude: str | Path | None = None, progress: Progress | None = None
) -> AuditReport:
    """Checks the workspace's pairs and catalogue; writes reports/audit.html, audit.json and parts.png, and into the
    file ``write_exclude`` the photos that the next import may leave out.

    Raises DataError where nothing was imported.
    """
    from augkit.core.atomic_file import write_text
    from augkit.core.parts import PartSchema
    from augkit.data.audit import result as audits
    from augkit.data.audit.overview import Overview
    from augkit.data.catalogue import read_catalogue
    from augkit.data.unknown_doors import unknown_doors
    from augkit.report.audit_page import write_page
    from augkit.report.chart import overview_chart

    place = open_workspace(workspace)
    rows, schema = read_catalogue(place.require_catalogue()), PartSchema.load(place.schema)
    with shown(progress) as told:
        found = audits.audit(place, workers=workers, progress=told)
    overview = Overview.of(rows, schema)
    files = {
        "page": write_page(found, overview, place, place.reports / "audit.html"),
        "chart": overview_chart(overview, place.reports / "parts.png"),
        "result": found.save(place.reports),
    }
    if write_exclude is not None:
        files["exclude"] = Path(write_exclude)
        write_text(files["exclude"], found.exclusion())
    return AuditReport(found, overview, files, unknown_doors(rows, schema))
