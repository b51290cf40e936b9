"""``augkit compare``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from augkit.cli._app import run
from augkit.core.workspace import Workspace

TINY = "mask: {model: %s, size: 16, batch: 4, steps: 100000, options: {latent: 4}, augment: none}\nprecision: fp32\n"


@pytest.fixture
def configs(tmp_path: Path) -> list[str]:
    paths = [tmp_path / f"{model}.yaml" for model in ("dcgan-upsampling", "vae-convolutional")]
    for path in paths:
        path.write_text(TINY % path.stem)
    return [str(path) for path in paths]


def test_the_table_and_its_json(
    configs: list[str], copied_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", *configs, "--budget", "0.3s", "--workspace", str(copied_workspace.root)]) == 0
    shown = capsys.readouterr().out
    assert "dcgan-upsampling" in shown and "ratio" in shown
    assert run(["compare", *configs, "--budget", "0.3s", "--workspace", str(copied_workspace.root), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["budget_seconds"] == 0.3
    assert [row["name"] for row in result["results"]] == ["dcgan-upsampling", "vae-convolutional"]
    assert json.loads((copied_workspace.reports / "compare.json").read_text()) == result["results"]


def test_with_and_without_a_start_in_one_command(
    configs: list[str], copied_workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What starts from the run and does not move is that run; the other one is not."""
    still = ", optim: {lr: 1.0e-30}}"
    plain = TINY.replace("}\n", "%s\n", 1) % ("vae-convolutional", still)
    started = plain.replace(still, f", init_from: the run that is named{still}")
    for name, text in (("first", plain.replace("100000", "2")), ("without", plain), ("with", started)):
        (tmp_path / f"{name}.yaml").write_text(text)
    place = ["--workspace", str(copied_workspace.root)]
    assert run(["train", "mask", "--config", str(tmp_path / "first.yaml"), "--set", "seed=5", *place]) == 0
    start = copied_workspace.model("mask", "all")
    capsys.readouterr()
    names = [str(tmp_path / f"{name}.yaml") for name in ("without", "with")]
    assert run(["compare", *names, "--init-from", str(start), "--budget", "0.3s", *place, "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["results"]] == [
        "without",
        "with",
    ]
    weights = {k: v for k, v in load_file(start / "model.safetensors").items() if k.endswith(("weight", "bias"))}
    for name, same in (("without", False), ("with", True)):
        found = load_file(next((copied_workspace.root / "benchmark" / name).rglob("model.safetensors")))
        assert all(torch.allclose(found[key], weights[key], atol=1e-6) for key in weights) == same


@pytest.fixture
def started(tmp_path: Path) -> str:
    """A configuration that starts from a run of the workspace."""
    path = tmp_path / "started.yaml"
    path.write_text((TINY % "vae-convolutional").replace("{model", "{init_from: pretrained, model"))
    return str(path)


def test_what_waits_for_a_run_says_so_and_the_others_are_compared(
    configs: list[str], started: str, copied_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", started, configs[1], "--budget", "0.3s", "--workspace", str(copied_workspace.root)]
    assert run(command) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "started waits" in shown and "started: no run to start from at" in shown and "--init-from RUN" in shown
    assert run([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in result["results"]] == ["vae-convolutional"]
    assert str(copied_workspace.root / "pretrained") in result["waiting"]["started"]
    assert json.loads((copied_workspace.reports / "compare.json").read_text()) == result["results"]


@pytest.mark.parametrize("there", ["the only one", "another thing", "named"])
def test_a_start_that_cannot_be_is_an_error(
    there: str, configs: list[str], started: str, copied_workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is left to compare, what is there is no run, or the user has said that it is there."""
    if there == "another thing":
        (copied_workspace.root / "pretrained").mkdir()
    named = ["--init-from", str(copied_workspace.root / "nowhere")] if there == "named" else []
    others = [] if there == "the only one" else configs[1:]
    command = ["compare", started, *others, *named, "--budget", "0.3s", "--workspace", str(copied_workspace.root)]
    assert run(command) == 3
    assert ("nowhere" if named else "pretrained") in capsys.readouterr().err


@pytest.mark.parametrize("budget", ["5", "m", "0s", "-3m", "5 minutes"])
def test_a_budget_is_a_number_and_a_unit(
    budget: str, configs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", configs[0], f"--budget={budget}", "--workspace", str(tmp_path)]) == 2
    assert "90s, 5m, 1h" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seed: 1\n", "neither mask nor image nor unconditional"),
        ("mask: {}\nunconditional: {}\n", "mask and unconditional"),
    ],
)
def test_a_file_describes_one_generator(
    text: str, found: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.yaml").write_text(text)
    assert run(["compare", str(tmp_path / "x.yaml"), "--workspace", str(tmp_path)]) == 2
    assert found in capsys.readouterr().err


def test_names_must_differ(configs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["compare", configs[0], configs[0], "--workspace", str(tmp_path)]) == 2
    assert "dcgan-upsampling" in capsys.readouterr().err


def test_a_start_that_no_configuration_takes_is_refused(
    configs: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["compare", configs[0], "--init-from", str(tmp_path), "--workspace", str(tmp_path)]) == 2
    assert "no configuration starts from another run" in capsys.readouterr().err
