"""The notebook and the Lightning script run as they are."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from augkit.api.shown import Shown
from augkit.balance.job import Balance, BalanceRequest
from augkit.core.workspace import Workspace
from augkit.settings import load_settings

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run_notebook(path: Path, **constants: int) -> list[Any]:
    """Runs the cells of code in one namespace, some constants changed; what each of them shows."""
    names: dict[str, Any] = {}
    values = []
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        for name, value in constants.items():
            source = re.sub(rf"^{name} = [0-9]+", f"{name} = {value}", source, flags=re.MULTILINE)
        tree = ast.parse(source)
        last = tree.body.pop()
        assert isinstance(last, ast.Expr), "every cell shows something"
        exec(compile(tree, path.name, "exec"), names)
        values.append(eval(compile(ast.Expression(last.value), path.name, "eval"), names))
    return values


def check(values: list[Any]) -> None:
    shown = [value for value in values if isinstance(value, Shown | Workspace)]
    pages = [value._repr_html_() for value in shown]  # type: ignore[union-attr]
    assert len(pages) == 6 and all("<pre" in page for page in pages)
    assert sum("data:image/png" in page for page in pages) == 4  # audit, plan, run, workspace


def test_the_notebook_runs() -> None:
    """With a target that needs no training: the slow test has the whole."""
    check(run_notebook(EXAMPLES / "quickstart.ipynb", TARGET=1))


@pytest.mark.slow
def test_the_whole_notebook_runs() -> None:
    values = run_notebook(EXAMPLES / "quickstart.ipynb")
    check(values)
    assert next(value for value in values if hasattr(value, "run")).to_dict()["generated_now"] > 0


@pytest.mark.skipif(importlib.util.find_spec("lightning") is None, reason="lightning is not installed")
def test_the_lightning_script_trains(copied_workspace: Workspace) -> None:
    Balance(copied_workspace, load_settings("smoke"), BalanceRequest(1)).generate()
    command = [sys.executable, str(EXAMPLES / "train_lightning.py"), str(copied_workspace.shards), "--epochs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(r"validation accuracy [0-9.]{5}", done.stdout)
