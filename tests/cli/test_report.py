from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from augkit.cli._app import run
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.shards.card import license_of
from tests.report.workspaces import blind, make_workspace


def test_the_verb_writes_the_page_and_says_what_is_missing(
    rendered_workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    blind(monkeypatch)
    workspace = make_workspace(Workspace(shutil.copytree(rendered_workspace.root, tmp_path / "w")))
    (workspace.reports / "utility.json").unlink()
    arguments = ["report", "-w", str(workspace.root), "--license", "cc0-1.0", "--json"]
    assert run(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    page = workspace.reports / "report.html"
    assert result["page"] == str(page) and result["bytes"] == page.stat().st_size < 3_000_000
    assert [gap["run"] for gap in result["missing"]] == ["augkit evaluate utility"]
    assert license_of(open_storage(workspace.shards)) == "cc0-1.0"
    assert run([*arguments[:3], "-o", str(tmp_path / "other.html"), "--per-class", "1"]) == 0
    assert "Nobody has measured what the pairs do" in " ".join(capsys.readouterr().out.split())
    assert (tmp_path / "other.html").is_file() and license_of(open_storage(workspace.shards)) == "cc0-1.0"


def test_an_empty_folder_is_no_workspace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "-w", str(tmp_path)]) == 3
    assert "no catalogue here" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
