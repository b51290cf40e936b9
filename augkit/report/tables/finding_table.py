"""What an audit found, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from augkit.data.audit.overview import Overview
from augkit.data.audit.result import AuditResult
from augkit.report.tables.class_table import part_table, split_table

_COLOURS = {"fatal": "bold red", "warning": "yellow", "note": "cyan"}


def audit_summary(found: AuditResult, overview: Overview, paths: Mapping[str, str]) -> Group:
    """The data by class and part, the findings, the checks that found nothing, and where more is to be seen."""
    end = [f"nothing found by: {', '.join(found.clean) or '(no check)'}"]
    end += [f"{name:7}{path}" for name, path in paths.items()]
    return Group(split_table(overview), part_table(overview), finding_table(found), Text("\n".join(end)))


def finding_table(found: AuditResult) -> Table:
    """A row a finding: how many pairs it is about, what to do, and the worst of them."""
    table = Table(title=f"Audit of {found.pairs} pairs", show_lines=True, expand=True)
    table.add_column("check", no_wrap=True)
    table.add_column("pairs", justify="right")
    table.add_column("what was found, and what to do", overflow="fold", ratio=1)
    table.add_column("worst", overflow="fold", width=24)
    for finding in found.findings:
        what = f"{escape(finding.message)}\n[dim]{escape(finding.remedy)}[/]"
        name = f"{finding.check}\n[{_COLOURS[finding.severity]}]{finding.severity}[/]"
        worst = f"{escape(finding.hits[0].id)}\n[dim]{escape(finding.hits[0].remark)}[/]" if finding.hits else ""
        table.add_row(name, str(len(finding.hits) or ""), what, worst)
    return table
