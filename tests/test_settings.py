from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from augkit.core.errors import ConfigError, RenamedWarning
from augkit.settings import Settings, default_preset, load_settings, parse_settings, presets, save_settings
from augkit.settings.renames import RENAMED

FOLDER = Path(__file__).parent.parent / "configs"
REPORTS = sorted((FOLDER / "reports").glob("*.yaml"))
CONFIGS = [*sorted(FOLDER.glob("*.yaml")), *REPORTS]
PRESETS = ("cpu", "gpu", "quick", "smoke")


def test_the_presets_are_there() -> None:
    assert set(PRESETS) <= set(presets())
    assert default_preset() in presets()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_file_builds_its_networks(path: Path) -> None:
    from augkit.stages.image import build_painter
    from augkit.stages.latent_generator import build_networks
    from augkit.stages.photo_discriminator import build_discriminator
    from augkit.stages.segmenter import build_segmenter

    settings, channels = load_settings(path), 19
    image, segmenter = settings.image, settings.segmenter
    assert build_segmenter(segmenter.model, segmenter.options, channels, segmenter.size)
    with torch.device("meta"):  # shapes without weights: the larger ones take long to draw
        assert build_networks(settings.mask, channels, "mask").latent > 0
        assert build_networks(settings.unconditional, 3, "unconditional").latent > 0
        assert build_painter(image.description(), channels)
        assert build_discriminator(image, channels)
    if path not in REPORTS:
        assert load_settings(path.stem) == settings  # by name as well


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_file_says_its_command(path: Path) -> None:
    first = path.read_text().splitlines()[2 if path in REPORTS else 0]
    assert first.startswith("# ") and ("augkit" in first or "accelerate" in first)


def test_the_defaults_are_those_of_the_preset_cpu() -> None:
    assert load_settings("cpu") == Settings() == load_settings()


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("mask.stepz=1", "mask.steps"), ("target_per_class=5", "balance.target_per_class"),
        ("image.optimm={}", "image.optim"), ("mask.selection.evry=3", "mask.selection.every"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_told_the_nearest(override: str, meant: str) -> None:
    with pytest.raises(ConfigError, match=rf"did you mean {re.escape(meant)}\?"):
        load_settings("cpu", [override])


def test_faults_are_told_of_who_set_them(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mask: {batch: 0}\n")
    with pytest.raises(ConfigError, match=r"1 fault\(s\) in the settings from cpu:"):
        parse_settings({"mask": {"batch": 0}}, "cpu", [["mask", "steps"]])
    with pytest.raises(ConfigError, match=r"1 fault\(s\) in the settings from the options given:"):
        load_settings("cpu", ["mask.steps=-3"])
    with pytest.raises(ConfigError, match=rf"2 fault\(s\) in the settings from {path} and the options given:"):
        load_settings(path, ["mask.steps=-3"])
    with pytest.raises(ConfigError, match=r"1 fault\(s\) in the settings from cpu and the options given:"):
        load_settings("cpu", ["balance.hard_sampling=0.5", "gate.checks=[view]"])  # of all settings together


def test_all_faults_are_told_at_once_with_their_paths(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mask: {stepz: 3, batch: 0}\nimage: {size: 100}\nunknown: 1\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    message = str(caught.value)
    assert "4 fault(s)" in message and str(path) in message
    for place in ("mask.stepz", "mask.batch", "image.size", "unknown"):
        assert f"  {place}: " in message
    assert "got 100" in message


@pytest.mark.parametrize(
    ("override", "path"),
    [
        ("image.optim.lr=0", "image.optim.lr"),
        ("gate.quantile=0.5", "gate.quantile"),
        ("balance.target_per_class=0", "balance.target_per_class"),
        ("precision=fp8", "precision"),
        ("seed=-1", "seed"),
        ("mask.ema=1.0", "mask.ema"),
        ("data.val_share=1.0", "data"),
        ("mask.microbatches=5", "mask"),
    ],
)
def test_values_out_of_range_are_refused(override: str, path: str) -> None:
    with pytest.raises(ConfigError, match=rf"  {path}: "):
        load_settings("smoke", [override])


@pytest.mark.parametrize(
    ("override", "why"),
    [
        ("balance.sources=[]", "one source or more"),
        ("balance.sources=[pseudo, pseudo]", "each named once"),
        ("teacher.segmenter.source=all", "a teacher learns from labelled pairs"),
        ("teacher.scales=[1.0, 5.0]", "none above 4"),
        ("image={repair: false, conditioning: [colours], unpaired: true}", "there is nothing to exchange"),
        ("image={repair: false, conditioning: [colours, confidence]}", "nothing is warped"),
        ("image={model: pix2pixhd-local, coarse: {steps: 1}, discriminator: {model: projected}}", "a PatchGAN over"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(override: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        load_settings("smoke", [override])


def test_sources_have_one_order() -> None:
    assert load_settings("smoke", ["balance.sources=[generated, pseudo]"]).balance.sources == ("pseudo", "generated")


@pytest.mark.parametrize(
    "override",
    [
        f"balance.target_per_class={10**60}", "balance.target_per_class=" + "9" * 5000, "mask.steps=!!int x",
        "seed=0x" + "f" * 50, "mask.optim.lr=.inf", "mask.optim.lr=.nan", "mask.optim.betas=[2, 3]",
        "mask.steps=" + "1" * 4400, "image.options={base: 1.0e+9}", "mask.steps=&a [*a]", "mask.steps=" + "[" * 3000,
        "mask.steps=2024-13-45", "mask.steps=!!bool x", ".".join("a" * 500) + "=1", "mask.steps=1.0e+400",
        "image.backgrounds=~nobody-of-this/x",
        "mask.augment=" + "x" * 5000,
    ],
)  # fmt: skip
def test_hostile_values_are_refused_with_their_path_in_few_words(override: str) -> None:
    with pytest.raises(ConfigError, match=override.partition("=")[0][:2]) as error:
        load_settings("smoke", [override])
    assert len(str(error.value)) < 1500


def unbounded(node: Any, path: str = "") -> Iterator[str]:
    """Paths of the numbers in a JSON schema that lack a bound."""
    if isinstance(node, dict):
        ends = [{f"{end}imum", f"exclusive{end.title()}imum"} & node.keys() for end in ("min", "max")]
        if node.get("type") in ("integer", "number") and not all(ends):
            yield path
        for key, inner in node.items():
            yield from unbounded(inner, f"{path}.{key}")
    elif isinstance(node, list):
        for number, inner in enumerate(node):
            yield from unbounded(inner, f"{path}.{number}")


def test_every_number_has_two_bounds() -> None:
    assert list(unbounded(Settings.model_json_schema())) == []
    assert list(unbounded({"a": [{"type": "integer", "minimum": 1}]})) == [".a.0"]


def test_overrides_are_read_as_yaml() -> None:
    settings = load_settings(
        "smoke", ["mask.steps=7", "image.options={base: 4}", "balance.lossless=true", "mask.optim.lr=1e-2"]
    )
    assert settings.mask.steps == 7
    assert settings.image.options == {"base": 4}
    assert settings.balance.lossless is True
    assert settings.mask.optim.lr == 0.01
    assert load_settings("smoke", ["mask.steps=7", "mask.steps=8"]).mask.steps == 8


@pytest.mark.parametrize("override", ["mask.steps", "=3", "", "seed.deeper=1", "mask.steps=[1", "mask..steps=1"])
def test_overrides_that_make_no_sense_are_refused(override: str) -> None:
    with pytest.raises(ConfigError):
        load_settings("smoke", [override])


@pytest.mark.parametrize("text", ["[1, 2]", "mask: [", "text", "\x00", "mask: 3", "1: 2"])
def test_files_that_hold_no_settings_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=str(path)):
        load_settings(path)


def test_a_file_that_is_not_there_names_the_presets() -> None:
    with pytest.raises(ConfigError, match=r"no settings at nowhere(.|\n)*cpu, (.|\n)*smoke"):
        load_settings("nowhere")


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# nothing yet\n")
    assert load_settings(path) == Settings()


def test_saved_settings_are_read_back(tmp_path: Path) -> None:
    settings = load_settings("gpu", ["seed=5"])
    save_settings(settings, tmp_path / "augkit.yaml")
    assert load_settings(tmp_path / "augkit.yaml") == settings
    assert parse_settings(yaml.safe_load((tmp_path / "augkit.yaml").read_text()), "here") == settings


def test_a_renamed_setting_is_taken_and_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("image: {guides: [exemplar]}\n")
    with pytest.warns(RenamedWarning, match=r"image\.guides is called image\.conditioning now"):
        settings = load_settings(path)
    assert settings.image.conditioning == ("exemplar",)
    with pytest.warns(RenamedWarning):
        assert load_settings("smoke", ["image.guides=[exemplar]"]).image.conditioning == ("exemplar",)
    with pytest.warns(RenamedWarning):  # what is given later counts, under whichever name
        assert load_settings(path, ["image.conditioning=[exemplar, noise]"]).image.conditioning == ("exemplar", "noise")


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_new_names_are_settings_and_old_ones_are_none(old: str, new: str) -> None:
    def known(path: str) -> bool:
        node: Any = Settings().model_dump()
        *sections, key = path.split(".")
        for section in sections:
            node = node[section]
        return key in node

    assert known(new) and not known(old)


def test_a_setting_under_both_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("image: {guides: [], conditioning: []}\n")
    with pytest.raises(ConfigError, match=r"  image\.guides: "):
        load_settings(path)


def test_descriptions_of_models_keep_their_keys() -> None:
    described = Settings().image.description()
    assert described["guides"] == ["exemplar", "colours", "confidence"] and "conditioning" not in described


def test_a_segmenter_of_the_gate_is_set_in_part() -> None:
    own = load_settings("cpu", ["gate.segmenter.size=96"]).gate.segmenter
    assert own == load_settings("cpu").gate.segmenter.model_copy(update={"size": 96})
