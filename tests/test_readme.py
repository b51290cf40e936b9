"""What the README and the examples promise."""

import re
import subprocess
import sys
from pathlib import Path

from augkit.balance.job import Balance, BalanceRequest
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
    texts = [path.read_text() for path in [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/*")]]
    used = {verb for text in texts for verb in re.findall(r"\baugkit ([a-z]+)\b(?= |\n|`)", text)}
    known = subprocess.run(
        [sys.executable, "-m", "augkit", "--help"], capture_output=True, text=True, check=True, env={"COLUMNS": "200"}
    ).stdout
    verbs = set(re.findall(r"│ ([a-z]+) ", known))
    named = {word for word in used if word in verbs or word not in ORDINARY_WORDS}
    assert named <= verbs, named - verbs


ORDINARY_WORDS = {"fills", "installed", "the", "is"}


def test_the_example_is_short_and_trains_on_shards(rendered_workspace: Workspace, copied_workspace: Workspace) -> None:
    example = ROOT / "examples" / "train_segmentation.py"
    assert len(example.read_text().splitlines()) <= 80
    Balance(copied_workspace, load_settings("smoke"), BalanceRequest(1)).generate(lambda name, more: None)
    command = [sys.executable, str(example), str(copied_workspace.shards), "--source", "real", "--epochs", "1"]
    result = subprocess.run([*command, "--batch", "4"], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    assert re.search(r"mean IoU +\d\.\d{3}", result.stdout)
