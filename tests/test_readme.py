"""What the README and the examples promise."""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from augkit.api import export
from augkit.balance.job import Balance, BalanceRequest
from augkit.core.progress import silent
from augkit.core.workspace import Workspace
from augkit.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]


def set_up_commands() -> list[str]:
    text = (ROOT / "README.md").read_text()
    section = text.split("## Set up")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)


def test_there_are_two_set_up_commands_of_one_line_each() -> None:
    demo, tests = set_up_commands()
    for command in (demo, tests):
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && ")
    assert demo.endswith("augkit demo")
    assert "[test]" in tests and tests.endswith("pytest")


def test_every_verb_in_the_documents_exists() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*")]
    texts = [path.read_text() for path in pages if path.is_file()]
    used = {verb for text in texts for verb in re.findall(r"\baugkit ([a-z]+)\b(?= |\n|`)", text)}
    known = subprocess.run(
        [sys.executable, "-m", "augkit", "--help"], capture_output=True, text=True, check=True, env={"COLUMNS": "200"}
    ).stdout
    verbs = set(re.findall(r"│ ([a-z]+) ", known))
    named = {word for word in used if word in verbs or word not in ORDINARY_WORDS}
    assert named <= verbs, named - verbs


ORDINARY_WORDS = {"augkit", "fills", "installed", "the", "is"}


@pytest.fixture(scope="module")
def ws(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A folder ``ws`` with shards, as the documents have it."""
    workspace = Workspace(shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("documents") / "ws"))
    Balance(workspace, load_settings("smoke"), BalanceRequest(1)).generate()
    return workspace


def test_the_example_is_short_and_trains_on_shards(ws: Workspace) -> None:
    example = ROOT / "examples" / "train_segmentation.py"
    assert len(example.read_text().splitlines()) <= 88
    command = [sys.executable, str(example), str(ws.shards), "--source", "real", "--steps", "2"]
    result = subprocess.run([*command, "--batch", "4"], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    assert re.search(r"mean IoU +\d\.\d{3}", result.stdout)


def python_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_the_readmes_snippet_feeds_a_training(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ws.root.parent)
    (snippet,) = python_blocks("README.md")
    names: dict[str, Any] = {}
    exec(snippet, names)
    batch = next(iter(names["loader"]))
    assert batch["image"].shape == (16, 3, 128, 128) and batch["mask"].shape == (16, 128, 128)


def test_the_ways_to_read_shards_read_them(ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ws.root.parent)
    monkeypatch.setattr(pytest.importorskip("datasets").config, "HF_DATASETS_CACHE", tmp_path)
    ours, others = python_blocks("docs/balance.md")
    names: dict[str, Any] = {}
    exec(ours, names)
    assert len(names["train"]) and names["val"][0]["image"].shape == (128, 128, 3)
    exec(others, names)
    assert next(iter(names["pairs"]["train"]))["mask.png"].mode == "L"


FORMATS = {"semantic": "cars", "coco": "cars-coco", "hf": "cars-hf", "mmseg": "cars-mmseg"}
"""Folders of exports, as docs/export.md calls them."""


# pycocotools 2.0.11 has not heard of numpy 2's copy=False yet.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
def test_the_ways_to_read_exports_read_them(ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pytest.importorskip("datasets").config, "HF_DATASETS_CACHE", tmp_path / "cache")
    for format, folder in FORMATS.items():
        export(ws, format, folder, progress=silent)
    ran = []
    for snippet in python_blocks("docs/export.md"):
        imported = re.findall(r"^(?:from|import) (\w+)", snippet, re.MULTILINE)
        if all(importlib.util.find_spec(package) for package in imported):
            names: dict[str, Any] = {}
            exec(snippet, names)
            ran.append(names)
        else:
            compile(snippet, "docs/export.md", "exec")
    found: dict[str, Any] = {name: value for names in ran for name, value in names.items()}
    assert found["mask"].sum() == found["annotation"]["area"] and found["id2label"][0] == "background"
    assert set(found["pairs"]) == {"train", "validation"}
