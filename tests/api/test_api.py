"""The functions of ``augkit.api``: what they import, return and show; their work is tested where it is done."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from augkit import ShardDataset, api
from augkit.api.bars import NotebookBars, shown
from augkit.api.opened import settings_of
from augkit.core.errors import AugkitError, ConfigError, DataError, ShardError
from augkit.core.parts import PartSchema
from augkit.core.progress import silent
from augkit.core.workspace import Workspace
from augkit.settings import load_settings


def test_importing_it_is_quick() -> None:
    code = "import sys, augkit.api; print(sorted({'torch', 'numpy', 'pyarrow', 'rich', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_name_is_there_and_annotated() -> None:
    assert dir(api) == api.__all__
    for name in api.__all__:
        found = getattr(api, name)
        functions = [found] if inspect.isfunction(found) else [getattr(api.evaluate, q) for q in ("masks", "utility")]
        for function in functions:
            signature = inspect.signature(function)
            assert signature.return_annotation is not signature.empty and function.__doc__
    with pytest.raises(AttributeError, match="no attribute 'balanse'; it has FullSize, Workspace"):
        api.balanse  # noqa: B018


def test_a_plan_shows_itself(copied_workspace: Workspace) -> None:
    found = api.plan(copied_workspace.root, 6, only=["front-left-5"], config="smoke", changes={"seed": 3})
    line = found.to_dict()["classes"]["front-left-5"]
    assert line["training"] + line["todo"] == 6
    html = found._repr_html_()
    assert "front-left-5" in html and 'src="data:image/png;base64,' in html and "<pre" in html
    assert "Plan: 6 pairs for training" in str(found)
    assert not copied_workspace.shards.exists()


def test_an_audit_shows_itself(copied_workspace: Workspace) -> None:
    told = []
    found = api.audit(copied_workspace, progress=lambda *args: told.append(args))
    assert told and found.files["page"].is_file() and found.to_dict()["pairs"] == 40
    assert "Audit of 40 pairs" in found._repr_html_()


def test_a_data_set_is_imported(rendered_workspace: Workspace, tmp_path: Path) -> None:
    found = api.import_dataset(
        "folder", rendered_workspace.pairs, tmp_path / "ws", annotations=rendered_workspace.schema, config="smoke",
        changes=["data.size=64"], progress=silent,
    )  # fmt: skip
    assert found.to_dict()["pairs"] == 40 and not found.problems
    assert "front-left-5" in found._repr_html_()
    with pytest.raises(ConfigError, match="--overlap order: folder reads masks"):
        api.import_dataset("folder", rendered_workspace.pairs, tmp_path / "ws", overlap="order",
                           annotations=rendered_workspace.schema)  # fmt: skip
    with pytest.raises(ConfigError, match="--exif sideways\nexpected: upright or stored"):
        api.import_dataset("folder", rendered_workspace.pairs, tmp_path / "ws", exif="sideways")  # type: ignore[arg-type]


def test_photos_without_masks_are_imported(copied_workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.effect_noise((64, 64), 50).convert("RGB").save(tmp_path / "photos" / "new.jpg")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"none")
    found = api.import_dataset("photos", tmp_path / "photos", copied_workspace, config="smoke", progress=silent)
    assert "1 photos without masks joined the catalogue" in str(found) and "1 refused\n  broken.jpg" in str(found)
    assert found.to_dict()["importer"] == "photos" and found.to_dict()["joined"] == 1
    with pytest.raises(ConfigError, match=r"--classes c\.csv for photos without masks"):
        api.import_dataset("photos", tmp_path / "photos", copied_workspace, classes="c.csv", config="smoke")


def test_a_workspace_shows_itself(rendered_workspace: Workspace, tmp_path: Path) -> None:
    html = api.Workspace(rendered_workspace.root)._repr_html_()
    assert "Real pairs" in html and "back-right-3" in html and str(rendered_workspace.root.name) in html
    empty = api.Workspace(str(tmp_path))
    assert "nothing was imported" in empty._repr_html_() and empty.root == tmp_path
    with pytest.raises(ShardError):
        empty.dataset()


def test_settings_and_changes(tmp_path: Path) -> None:
    place = Workspace(tmp_path)
    given = load_settings("smoke", ["mask.steps=7"])
    assert settings_of(place, given) is given
    changed = settings_of(place, given, {"image.steps": 9, "balance.target_parts": {"hood": 0.1}})
    assert (changed.mask.steps, changed.image.steps, changed.balance.target_parts) == (7, 9, {"hood": 0.1})
    with pytest.raises(ConfigError, match=r"mask\.stepz"):
        settings_of(place, given, {"mask.stepz": 9})


def test_rendered_cars_are_written_beside_the_photos(
    rendered_workspace: Workspace, copied_workspace: Workspace, tmp_path: Path
) -> None:
    found = api.render_shards(copied_workspace, 8, config="smoke", changes={"image.size": 32})
    again = api.render_shards(copied_workspace, 9, config="smoke", changes={"image.size": 32})
    assert (found.there, found.new, again.there, again.new) == (8, 8, 9, 1)
    assert ShardDataset(copied_workspace.rendered).schema.names == PartSchema.load(rendered_workspace.schema).names
    with pytest.raises(DataError, match=r"no imported photos(.|\n)*augkit import"):
        api.render_shards(tmp_path / "nothing", 8)


def test_wrong_words_are_refused_as_on_the_command_line(rendered_workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="train 'masks'"):
        api.train(rendered_workspace, "masks")
    with pytest.raises(ConfigError, match="--part-map with train mask"):
        api.train(rendered_workspace, "mask", part_map="names")
    with pytest.raises(AugkitError, match=r"gate\.checks is empty"):
        api.evaluate.gate(rendered_workspace, config="smoke", changes={"gate.checks": []})
    with pytest.raises(ConfigError, match="--executor rai"):
        api.plan(rendered_workspace.root, executor="rai", config="smoke")


def test_bars_count_and_end(capsys: pytest.CaptureFixture[str]) -> None:
    bars = NotebookBars()
    bars("drawing", 1, 4)
    bars("drawing", 4, 4)
    bars.close()
    assert "drawing" in capsys.readouterr().err
    with shown(silent) as told:
        assert told is silent
    with shown(None) as told:
        told("more", 2, 2)
    assert "more" in capsys.readouterr().err
