from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from augkit.cli import verify as verb
from augkit.core.workspace import Workspace

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where reports go, and a verb with a fault."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("nobody foresaw\nthis")

    (tmp_path / "reports").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "reports"))
    monkeypatch.setattr(verb, "open_session", broken)
    return tmp_path / "reports"


def test_a_fault_of_our_own_is_a_line_and_a_report(augkit: Command, reports: Path) -> None:
    code, out, err = augkit("verify", "--json", "-w", reports)
    [report] = reports.iterdir()
    assert (
        code == 70 == json.loads(out)["error"]["exit_code"]
        and "ZeroDivisionError: nobody foresaw this" in err
        and "Traceback" not in err
    )
    assert str(report) in err and report.stat().st_mode & 0o077 == 0
    text = report.read_text()
    assert "Traceback" in text and f"augkit verify --json -w {reports}" in text and "torch 2" in text


def test_a_file_that_ends_too_early_is_no_interrupt(
    augkit: Command, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which typer takes for the end of what a user types."""

    def cut(*_: object) -> None:
        raise EOFError("No data left in file")

    monkeypatch.setattr(verb, "open_session", cut)
    code, _, err = augkit("verify")
    assert code == 70 and "EOFError: No data left in file" in err and len(list(reports.iterdir())) == 1


def test_a_report_that_cannot_be_written_is_said(augkit: Command, reports: Path) -> None:
    reports.rmdir()
    code, _, err = augkit("verify")
    assert code == 70 and "ZeroDivisionError" in err and "cannot be written" in err and "Traceback" not in err


def test_a_table_with_a_fault_is_bad_data(augkit: Command, copied_workspace: Workspace) -> None:
    copied_workspace.catalogue.write_bytes(b"PAR1")
    code, _, err = augkit("classes", "-w", copied_workspace.root)
    assert code == 3 and "catalogue.parquet" in err
