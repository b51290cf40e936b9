from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from augkit.core.workspace import Workspace
from augkit.data.audit.audit_check import CHECKS
from augkit.data.catalogue import read_catalogue
from tests.data.audit.test_result import spoil_ids

Command = Callable[..., tuple[int, str, str]]


def test_the_verb_prints_a_table_and_writes_three_files(augkit: Command, copied_workspace: Workspace) -> None:
    id = spoil_ids(copied_workspace)
    code, out, _ = augkit("audit", "-w", copied_workspace.root)
    assert code == 0
    assert all(word in out for word in ("fatal", "ids", id, "front-left-5", "hood", "nothing found by"))
    assert {path.name for path in copied_workspace.reports.iterdir()} == {"audit.html", "audit.json", "parts.png"}


def test_json_is_one_object_with_every_row(augkit: Command, copied_workspace: Workspace) -> None:
    id = spoil_ids(copied_workspace)
    code, out, _ = augkit("audit", "-w", copied_workspace.root, "--json")
    found = json.loads(out)
    assert code == 0 and set(found["checks"]) == set(CHECKS)
    assert found["findings"][0]["severity"] == "fatal" and found["findings"][0]["hits"][0]["id"] == id
    assert found["overview"]["pairs"] == found["pairs"] == 40
    assert json.loads((copied_workspace.reports / "audit.json").read_text())["digest"] == found["digest"]


def test_strict_is_3_and_still_shows_everything(augkit: Command, copied_workspace: Workspace) -> None:
    spoil_ids(copied_workspace)
    code, out, err = augkit("audit", "-w", copied_workspace.root, "--strict", "--json")
    assert code == 3 and json.loads(out)["findings"] and "ids:" in err and "audit.html" in err


def test_help_names_the_checks(augkit: Command) -> None:
    _, out, _ = augkit("audit", "--help")
    assert all(name in out for name in CHECKS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "mask"), ("train", "segmenter"), ("balance", "--dry-run"),
        ("balance", "--executor", "local", "--target-per-class", 5),
    ],
)  # fmt: skip
def test_unsound_data_are_refused(augkit: Command, copied_workspace: Workspace, arguments: tuple[object, ...]) -> None:
    copied_workspace.photo(read_catalogue(copied_workspace.catalogue)[0].id).unlink()
    code, out, err = augkit(*arguments, "-w", copied_workspace.root, "--config", "smoke", "--json")
    assert code == 3 == json.loads(out)["error"]["exit_code"]
    assert "files: 1 of 40 pairs cannot be read" in err and "augkit audit" in err
    assert not (copied_workspace.root / "models").exists() and not copied_workspace.shards.exists()
