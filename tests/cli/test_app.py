from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.main

from augkit.cli._app import ORDER, app, load_commands
from augkit.core.presets import setting_presets
from augkit.core.workspace import Workspace

Command = Callable[..., tuple[int, str, str]]

load_commands("augkit.cli", ORDER)
VERBS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
COMMANDS = {(name,): verb for name, verb in VERBS.items()} | {
    (name, sub): command for name, verb in VERBS.items() for sub, command in getattr(verb, "commands", {}).items()
}
"""Those of the sub-applications too, by the words that call them."""


def test_the_verbs_of_the_design_that_there_are() -> None:
    assert {"import", "render", "classes", "train", "balance", "verify", "demo"} <= set(VERBS)


@pytest.mark.parametrize("words", sorted(COMMANDS), ids=" ".join)
def test_every_verb_and_option_has_help(augkit: Command, words: tuple[str, ...]) -> None:
    code, out, _ = augkit(*words, "--help")
    assert code == 0 and "Usage" in out
    assert COMMANDS[words].help
    silent = [p.name for p in COMMANDS[words].params if not getattr(p, "help", None) and p.name != "help"]
    assert silent == []


def test_evaluate_is_a_group_of_commands(augkit: Command) -> None:
    assert ("evaluate", "masks") in COMMANDS
    code, _, err = augkit("evaluate", "maskz", "-w", ".")
    assert code == 2 and "maskz" in err and "Traceback" not in err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from augkit.cli._app import run\n"
        "code = run(['--help'])\n"
        "heavy = {'torch', 'ray', 'accelerate', 'cv2', 'pyarrow', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(verb in done.stdout for verb in VERBS)


REFUSED = [
    (["balance", "--set", "mask.stepz=1"], 2, "did you mean mask.steps?"),
    (["balance", "--config", "smoek"], 2, "did you mean smoke?"),
    (["train", "mask"], 3, "no catalogue"),
    (["evaluate", "masks"], 3, "no catalogue"),
]


def test_refusals_import_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from augkit.cli._app import run\n"
        f"codes = [run([*words, '-w', {str(tmp_path)!r}]) for words in {[words for words, _, _ in REFUSED]}]\n"
        "heavy = {'torch', 'ray', 'accelerate', 'cv2', 'pyarrow', 'matplotlib', 'numpy'} & set(sys.modules)\n"
        f"sys.exit(f'{{codes}}, imported: {{heavy}}' if heavy or codes != {[code for _, code, _ in REFUSED]} else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("words", "exit_code", "message"), REFUSED, ids=str)
def test_errors_are_json_where_json_was_asked_for(
    augkit: Command, tmp_path: Path, words: list[str], exit_code: int, message: str
) -> None:
    code, out, err = augkit(*words, "-w", tmp_path, "--json")
    error = json.loads(out)["error"]
    assert code == exit_code == error["exit_code"] and error["found"] in err
    assert message in " ".join(map(str, error.values()))
    assert augkit(*words, "-w", tmp_path)[1] == ""


def test_a_slip_of_the_keyboard_is_json_too(augkit: Command) -> None:
    code, out, _ = augkit("balance", "--tarket", "--json")
    assert code == 2 and json.loads(out)["error"] | {"expected": "", "remedy": ""} == json.loads(out)["error"]


def test_the_version(augkit: Command) -> None:
    from augkit import __version__

    assert augkit("--version")[:2] == augkit("-V")[:2] == (0, f"{__version__}\n")


def test_short_help_and_completion(augkit: Command) -> None:
    assert augkit("-h")[1] == augkit("--help")[1] and "--install-completion" in augkit("-h")[1]
    code, out, _ = augkit("balance", "-h")
    assert code == 0 and all(name in out for name in setting_presets())


@pytest.mark.parametrize(
    "arguments", [["balanze"], ["balance", "--tarket", "3"], ["render", "--count", "many"], ["import"]]
)
def test_a_slip_of_the_keyboard_is_2_and_shows_no_traceback(augkit: Command, arguments: list[str]) -> None:
    code, _, err = augkit(*arguments)
    assert code == 2 and "Traceback" not in err and err


def test_the_module_is_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "augkit", "classes", "-w", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3 and "no catalogue" in done.stderr and done.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["render", "--count", "4", "--size", "64"], ["balance", "--target-per-class", "5"], ["classes"]]
)
def test_a_workspace_that_cannot_be_written(augkit: Command, tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    code, out, err = augkit(*arguments, "-w", file / "ws", "--json")
    assert code == 3 and str(file) in err and "remedy" in err and "Traceback" not in err
    assert str(file) in json.loads(out)["error"]["found"]
    assert [path.name for path in tmp_path.iterdir()] == ["file"] and file.read_text() == "not a folder"


@pytest.mark.filterwarnings("default")
def test_an_old_name_of_a_setting_is_told_in_a_line(augkit: Command, tmp_path: Path) -> None:
    old = ("--config", "smoke", "--set", "image.guides=[exemplar]")
    code, out, err = augkit(
        "render", "--count", "8", "--size", "32", "--config", "smoke", *old, "-w", tmp_path, "--json"
    )
    assert code == 0 and json.loads(out)["pairs"] == 8
    assert "augkit: image.guides is called image.conditioning now" in err and ".py" not in err


def test_json_is_one_object(augkit: Command, tmp_path: Path) -> None:
    _, out, _ = augkit(
        "render", "--class", "front-left-5=4", "--size", 32, "--config", "smoke", "-w", tmp_path, "--json"
    )
    assert json.loads(out)["pairs"] == 4
    assert json.loads(augkit("classes", "-w", tmp_path, "--json")[1])["classes"]["front-left-5"]["pairs"] == 4


def test_verify_as_json(augkit: Command, balanced: Workspace) -> None:
    code, out, _ = augkit("verify", "-w", balanced.root, "--json")
    assert code == 0 and json.loads(out)["faults"] == []
    path = balanced.shards / "shard-000000.tar"
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)
    code, out, err = augkit("verify", "-w", balanced.root, "--json")
    assert code == 3 and json.loads(out)["faults"] and "shard-000000.tar" in err


def test_the_workspace_may_come_from_the_environment(
    augkit: Command, balanced_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGKIT_WORKSPACE", str(balanced_workspace.root))
    assert augkit("classes", "--json")[0] == 0


def test_settings_are_those_of_the_workspace_unless_others_are_given(augkit: Command, trained: Workspace) -> None:
    own = json.loads(augkit("balance", "--dry-run", "--json", "-w", trained.root)[1])
    other = json.loads(augkit("balance", "--dry-run", "--json", "-w", trained.root, "--config", "smoke")[1])
    assert (own["target"], other["target"]) == (10, 12)


def test_settings_that_are_broken_are_2(augkit: Command, trained: Workspace) -> None:
    trained.settings.write_text("mask: {stepz: 1}\nimage: {size: 7}\n")
    code, _, err = augkit("balance", "--dry-run", "-w", trained.root)
    assert code == 2 and "2 fault(s)" in err and "mask.stepz" in err and "image.size" in err
