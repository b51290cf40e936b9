from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from augkit.settings import Settings, load_settings, presets
from tests.cli.test_app import Command


def test_the_presets_are_listed_with_what_they_are_for(augkit: Command) -> None:
    code, out, _ = augkit("config", "ls", "--json")
    found = json.loads(out)["presets"]
    assert code == 0 and list(found) == presets()
    assert found["quick"]["for"] == "augkit demo" and Path(found["quick"]["file"]).is_file()


def test_what_is_shown_can_be_read_again(augkit: Command, tmp_path: Path) -> None:
    long = "x" * 200
    code, out, _ = augkit("config", "show", "smoke", "--set", "mask.steps=7", "--set", f"image.init_from={long}")
    assert code == 0
    file = tmp_path / "mine.yaml"
    file.write_text(out)
    assert load_settings(file) == load_settings("smoke", ["mask.steps=7", f"image.init_from={long}"])
    assert json.loads(augkit("config", "show", str(file), "--json")[1]) == yaml.safe_load(out)


def test_all_files_are_checked(augkit: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mask: {stepz: 1}\n")
    (tmp_path / "b.yaml").write_text("seed: -1\n")
    code, _, err = augkit("config", "validate", tmp_path / "a.yaml", "smoke", tmp_path / "b.yaml")
    assert code == 2 and "did you mean mask.steps?" in err and "b.yaml" in err
    assert augkit("config", "validate", "smoke", "cpu")[0] == 0


def test_the_schema_knows_every_key_and_what_it_is(augkit: Command, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")  # ray brings it
    assert augkit("config", "schema", "-o", tmp_path / "schema.json")[0] == 0
    schema = json.loads((tmp_path / "schema.json").read_text())
    assert schema == json.loads(augkit("config", "schema")[1])
    jsonschema.validate(Settings().model_dump(mode="json"), schema)
    for wrong in ({"mask": {"stepz": 1}}, {"mask": {"steps": 0}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
    per_class_from = schema["$defs"]["MaskSettings"]["properties"]["per_class_from"]
    assert "model of its own" in per_class_from["description"]
