from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from augkit.cli import view
from augkit.cli._app import run
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.report.browse import GAP, LINE, TILE, RowSelection, half_blocks, select_rows
from augkit.report.image_cache import ImageCache
from augkit.shards.index import load_manifest
from augkit.shards.index_file import IndexFile
from tests.report.workspaces import COPY, MADE, make_workspace

Augkit = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def workspace(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    root = shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("view") / "workspace")
    return make_workspace(Workspace(root))


@pytest.fixture
def augkit(capsys: pytest.CaptureFixture[str]) -> Augkit:
    def command(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return command


def keys(workspace: Workspace, **selection: object) -> list[str]:
    return [row["key"] for row in select_rows(open_storage(workspace.shards), RowSelection(**selection))[:]]  # type: ignore[arg-type]


def test_filters_and_orders(workspace: Workspace) -> None:
    made = keys(workspace, sources=("generated",))
    assert (
        len(made) == sum(MADE.values())
        and len(keys(workspace, classes=("front-right-5",), sources=("generated",))) == 1
    )
    assert keys(workspace, sources=("generated",), sort="area_excess")[-1] == COPY
    assert keys(workspace, sources=("generated",), sort="-area_excess")[0] == COPY
    assert set(keys(workspace, sources=("generated",), sort="rank")) == set(made)
    assert keys(workspace, sort="-area_excess")[0] == COPY  # real pairs have no such score and come last
    assert keys(workspace, rejected=True) == ["back-left-3-a", "back-left-3-b"]  # those that were painted


def test_a_page_reads_its_own_rows_alone(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, at = [], IndexFile.at

    def counted(self: IndexFile, places: np.ndarray) -> list[dict[str, object]]:
        asked.append(len(places))
        return at(self, places)

    monkeypatch.setattr(IndexFile, "at", counted)
    rows = select_rows(open_storage(workspace.shards), RowSelection(sort="rank"))
    assert asked == [] and len(rows) > 4
    assert len(rows[:2]) == 2 and asked == [2]


def test_the_previous_word_for_a_sort_is_understood(augkit: Augkit, workspace: Workspace) -> None:
    code, out, err = augkit("view", "--workspace", workspace.root, "--sort", "standing", "--json")
    assert code == 0 and "--sort rank" in err
    assert out == augkit("view", "--workspace", workspace.root, "--sort", "rank", "--json")[1]


def test_the_contact_sheet_has_two_pictures_a_pair(augkit: Augkit, workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "new" / "sheet.png"
    code, out, _ = augkit(
        "view", "-w", workspace.root, "--source", "generated", "--sheet", path, "--limit", 3, "--json"
    )
    assert code == 0 and json.loads(out) == {"sheet": str(path), "pairs": 3, "fitting": 4}
    picture = np.asarray(Image.open(path))
    assert picture.shape == (2 * TILE + 2 * LINE + 3 * GAP, 3 * TILE + 4 * GAP, 3)
    photo, under = (picture[GAP + n * TILE :][:TILE, GAP : GAP + TILE] for n in (0, 1))
    assert photo.std() > 5 and (photo != under).any()


def test_a_pipe_gets_one_page_and_no_question(augkit: Augkit, workspace: Workspace) -> None:
    code, out, err = augkit("view", "-w", workspace.root, "--class", "back-left-3", "--source", "generated")
    assert code == 0 and err == ""
    lines = [line.split("▀")[-1].split() for line in out.splitlines()]
    assert ["view", "confidence", "0.5"] in lines and ["area", "excess", "0"] in lines  # a row of the table each
    assert out.count("page ") == 1 and "3 pairs" in out and "next" not in out and "back-left-3-0" in out and "▀" in out


def test_keys_turn_the_pages(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    pressed = iter(["p", "n", "n", "\x1b[C", "x", "\x1b[D", "q"])
    monkeypatch.setattr("typer.getchar", lambda: next(pressed))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    console = Console(force_terminal=True, width=80, height=20, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    storage = open_storage(workspace.shards)
    rows = select_rows(storage, RowSelection(classes=("back-left-3",), sources=("generated",)))
    view._browse(console, rows, ImageCache(storage, load_manifest(storage).schema), 1)
    console.file.close()
    text = console.export_text()
    assert [part.split(" of")[0] for part in text.split("page ")[1:]] == ["1", "1", "2", "3", "3", "3", "2"]
    assert list(pressed) == []


def test_half_blocks_hold_two_pixels_a_character() -> None:
    picture = np.array([[[255, 0, 0], [1, 2, 3]], [[0, 255, 0], [4, 5, 6]]], np.uint8)
    text = half_blocks(picture)
    assert text.plain == "▀▀"
    styles = [span.style for span in text.spans]
    assert [s.color.triplet.rgb for s in styles] == ["rgb(255,0,0)", "rgb(1,2,3)"]  # type: ignore[union-attr]
    assert [s.bgcolor.triplet.rgb for s in styles] == ["rgb(0,255,0)", "rgb(4,5,6)"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--sort", "beauty"), 2, "area_excess"),
        (("--class", "front"), 2, "no class named"),
        (("--source", "drawn"), 2, "real, generated, pseudo, classical"),
        (("--class", "front-left-5", "--rejected"), 3, "no rejected pair"),
        (("--shards", "nowhere"), 3, "manifest.json"),
    ],
)
def test_what_cannot_be_shown(
    augkit: Augkit, workspace: Workspace, arguments: tuple[str, ...], code: int, words: str
) -> None:
    found, _, err = augkit("view", "-w", workspace.root, *arguments)
    assert found == code and words in err and "Traceback" not in err
