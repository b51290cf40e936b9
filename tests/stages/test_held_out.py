"""No held-out photo reaches a model, however often a workspace is imported and with whatever split."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from augkit.cli._app import run
from augkit.core.errors import CheckpointError, ShardError
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue
from augkit.settings import Settings, load_settings
from augkit.shards.index import load_index
from augkit.sources.render import render_schema
from augkit.sources.render.rendered_samples import even_counts, rendered_samples
from augkit.stages.model_store import ModelStore
from augkit.stages.training_mix import training_mix
from tests.importing import import_samples

SMALL = (
    "data.val_share=0.4", "mask.steps=2", "image.steps=2", "gate.checks=[adjacency,copied-mask,agreement]",
    "balance.target_per_class=4", "balance.shard_size=4", "gate.segmenter.source=real", "gate.segmenter.steps=2",
    "gate.segmenter.size=32", "gate.segmenter.batch=4", "gate.segmenter.sample_every=2", "gate.segmenter.save_every=2",
)  # fmt: skip


def _import(workspace: Workspace, settings: Settings, seed: int) -> None:
    samples = rendered_samples(even_counts(40), 64, 0)
    import_samples(samples, render_schema(), workspace, settings, seed)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Settings]:
    """Both stages trained, then the same photos imported with another split."""
    settings, workspace = load_settings("smoke", SMALL), Workspace(tmp_path_factory.mktemp("again") / "ws")
    _import(workspace, settings, 0)
    before = {row.id: row.split for row in read_catalogue(workspace.catalogue)}
    store = ModelStore.open(workspace, settings)
    for stage in ("mask", "image"):
        store.train(stage, "all", resume=False)
    _import(workspace, settings, 1)
    after = {row.id: row.split for row in read_catalogue(workspace.catalogue)}
    assert before != after
    return workspace, settings


@pytest.fixture
def imported_again(once: tuple[Workspace, Settings], tmp_path: Path) -> tuple[Workspace, Settings]:
    """A copy to write into."""
    return Workspace(shutil.copytree(once[0].root, tmp_path / "ws")), once[1]


def _options(workspace: Workspace) -> list[str]:
    overrides = [word for override in SMALL for word in ("--set", override)]
    return ["--workspace", str(workspace.root), "--config", "smoke", *overrides]


@pytest.mark.parametrize(
    "words",
    [("balance", "--dry-run"), ("balance", "--executor", "local"), ("evaluate", "masks"), ("evaluate", "photos"),
     ("train", "mask", "--resume"), ("train", "image", "--resume")],
    ids=" ".join,
)  # fmt: skip
def test_a_model_of_another_split_is_refused(
    imported_again: tuple[Workspace, Settings], words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, *_options(imported_again[0])]) == 3
    said = capsys.readouterr().err
    assert "pairs" in said and "--fresh" in said


def test_the_refusal_says_how_many_photos_are_held_out_now(imported_again: tuple[Workspace, Settings]) -> None:
    workspace, settings = imported_again
    rows = read_catalogue(workspace.catalogue)
    about = json.loads((workspace.model("image", "all") / "config.json").read_text())
    leaked = {row.id for row in rows if row.split != "train"} & set(about["exemplars"])
    with pytest.raises(CheckpointError, match=f"{len(leaked)} of its {len(about['exemplars'])} photos are held out"):
        ModelStore.open(workspace, settings).is_trained("image", "all")


def test_what_is_trained_again_has_seen_no_held_out_photo(imported_again: tuple[Workspace, Settings]) -> None:
    workspace, settings = imported_again
    store = ModelStore.open(workspace, settings)
    for stage in ("mask", "image"):
        store.train(stage, "all", resume=False, fresh=True)
    assert run(["balance", "--executor", "local", *_options(workspace)]) in (0, 4)
    rows = read_catalogue(workspace.catalogue)
    ids = {row.id for row in rows if row.split != "train"}
    photos = {row.sha256[:16] for row in rows if row.split != "train"}
    for file in sorted(workspace.root.rglob("config.json")):
        about = json.loads(file.read_text())
        assert not ids & {*about.get("exemplars", ()), *about.get("anchors", ())}, file
        assert about["photos"] and not photos & set(about["photos"]), file
    assert len(list((workspace.root / "gate").glob("segmenter-*/config.json"))) == 2
    noted = json.loads((workspace.root / "gate" / "real.json").read_text())["ids"]
    assert noted and not ids & set(noted)
    index = load_index(open_storage(workspace.shards)).to_pylist()
    assert not ids & {row["exemplar"] for row in index if row["exemplar"]}


def test_a_start_that_saw_held_out_photos_is_refused(imported_again: tuple[Workspace, Settings]) -> None:
    workspace, settings = imported_again
    start = workspace.model("image", "all").rename(workspace.root / "start")
    image = settings.image.model_copy(update={"init_from": str(start)})
    store = ModelStore.open(workspace, settings.model_copy(update={"image": image}))
    with pytest.raises(CheckpointError, match="held out here"):
        store.train("image", "all", resume=False)
    assert not workspace.model("image", "all").exists()


def test_a_start_that_does_not_say_what_it_saw_is_refused(imported_again: tuple[Workspace, Settings]) -> None:
    workspace, settings = imported_again
    start = workspace.model("image", "all").rename(workspace.root / "start")
    image = settings.image.model_copy(update={"init_from": str(start)})
    store = ModelStore.open(workspace, settings.model_copy(update={"image": image}))
    about = json.loads((start / "config.json").read_text())
    del about["photos"]
    (start / "config.json").write_text(json.dumps(about))
    with pytest.raises(CheckpointError, match="does not say on which photos"):
        store.train("image", "all", resume=False)
    (start / "config.json").unlink()
    with pytest.raises(CheckpointError, match="an unfinished run"):
        store.train("image", "all", resume=False)


def test_shards_of_another_split_train_no_segmenter(imported_again: tuple[Workspace, Settings]) -> None:
    """Written before the second import, of real pairs and of classical ones made of these."""
    workspace, settings = imported_again
    _import(workspace, settings, 0)
    words = ["augment", "--preset", "flip", "--per-class", "6", "--executor", "local"]
    assert run([*words, *_options(workspace)[:4]]) == 0
    assert len(training_mix(workspace, "real+classical"))
    _import(workspace, settings, 1)
    for source in ("real", "classical"):
        with pytest.raises(ShardError, match="another split"):
            training_mix(workspace, source)  # type: ignore[arg-type]


def test_models_that_noted_no_fingerprint_are_told_by_the_pairs_they_name(
    imported_again: tuple[Workspace, Settings],
) -> None:
    workspace, settings = imported_again
    file = workspace.model("image", "all") / "config.json"
    about = {key: value for key, value in json.loads(file.read_text()).items() if key not in ("fingerprint", "photos")}
    file.write_text(json.dumps(about))
    store = ModelStore.open(workspace, settings)
    with pytest.raises(CheckpointError, match="other pairs"):
        store.is_trained("image", "all")
    file.write_text(json.dumps(about | {"exemplars": [row.id for row in store.rows.rows]}))
    assert store.is_trained("image", "all")
    other = json.loads(file.read_text())
    other["settings"]["l1"] = 7.5
    file.write_text(json.dumps(other))
    with pytest.raises(CheckpointError, match=r"l1: 7\.5 then"):
        store.is_trained("image", "all")
    file.write_text(json.dumps({key: value for key, value in about.items() if key != "exemplars"}))
    with pytest.raises(CheckpointError, match="does not say"):
        store.is_trained("image", "all")
