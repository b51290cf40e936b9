"""Settings of a run: typed, checked as a whole, written down in the workspace.

Settings stop at the builders: classes and functions below take plain arguments. A preset is a YAML file in
``configs/`` that lists what differs from the defaults here. Each section has a file; ``training`` is what sections of
runs share, and ``generative`` what generators of pictures from latents (stage I, photos without masks) do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError, model_validator

from augkit.core.arithmetic import Precision
from augkit.core.atomic_file import write_text
from augkit.core.errors import ConfigError
from augkit.core.nearest import one_of
from augkit.core.plain_yaml import dump_plain, load_plain
from augkit.core.presets import find_preset, parse_yaml, preset_folders, setting_presets
from augkit.core.section import Section, Seed
from augkit.core.trackers import Tracker
from augkit.core.typed import shown
from augkit.settings.balance import BalanceSettings
from augkit.settings.data import DataSettings
from augkit.settings.faults import fault_line
from augkit.settings.gate import GateSettings
from augkit.settings.generative import CriticSettings, GenerativeSettings
from augkit.settings.image import CoarseSettings, ImageSettings
from augkit.settings.mask import MaskSettings
from augkit.settings.paint import PaintSettings
from augkit.settings.renames import present_path, renamed
from augkit.settings.segmenter import MIXING, SOURCES, SegmenterSettings, Source
from augkit.settings.selection import SelectionSettings
from augkit.settings.teacher import TeacherSettings
from augkit.settings.training import OptimSettings, StartSettings, TrainSettings
from augkit.settings.unconditional import UnconditionalSettings
from augkit.settings.utility import UtilitySettings

__all__ = [
    "BalanceSettings",
    "CoarseSettings",
    "CriticSettings",
    "DataSettings",
    "GateSettings",
    "GenerativeSettings",
    "ImageSettings",
    "MaskSettings",
    "OptimSettings",
    "PaintSettings",
    "MIXING",
    "SOURCES",
    "SegmenterSettings",
    "SelectionSettings",
    "Settings",
    "Source",
    "StartSettings",
    "TeacherSettings",
    "TrainSettings",
    "UnconditionalSettings",
    "UtilitySettings",
    "changed",
    "default_preset",
    "dump_settings",
    "load_settings",
    "parse_settings",
    "preset_path",
    "presets",
    "save_settings",
]


_DEEPEST = 16  # sections of an override
_OPTIONS = "the options given"


class Settings(Section):
    """All settings of a workspace; the defaults are those of the preset ``cpu``."""

    seed: Seed = 0
    precision: Precision = "auto"
    track: tuple[Tracker, ...] = ()
    """Experiment trackers that trainings tell of their losses; tensorboard is told in any case."""
    body: bool | Literal["auto"] = "auto"
    """Whether stages I and II draw what of a car belongs to no part; ``auto``: where `augkit silhouettes` found it."""
    data: DataSettings = DataSettings()
    mask: MaskSettings = MaskSettings()
    image: ImageSettings = ImageSettings()
    unconditional: UnconditionalSettings = UnconditionalSettings()
    paint: PaintSettings = PaintSettings()
    segmenter: SegmenterSettings = SegmenterSettings()
    gate: GateSettings = GateSettings()
    teacher: TeacherSettings = TeacherSettings()
    balance: BalanceSettings = BalanceSettings()
    utility: UtilitySettings = UtilitySettings()

    @model_validator(mode="after")
    def _hardness_is_told_by_the_gate(self) -> Settings:
        if self.balance.hard_sampling and "agreement" not in self.gate.checks:
            raise ValueError("balance.hard_sampling is set, but gate.checks has no agreement that tells what is hard")
        return self


def load_settings(source: str | Path | None = None, overrides: Sequence[str] = ()) -> Settings:
    """Settings from a preset name or YAML file, then ``a.b=c`` overrides.

    Raises ConfigError with every fault at once, each with its path.
    """
    tree = renamed(_read_yaml(preset_path(source))) if source is not None else {}
    for override in overrides:
        _set(tree, override)
    return parse_settings(tree, str(source or "the defaults"), [_path(override) for override in overrides])


def changed(settings: Settings, overrides: Sequence[str]) -> Settings:
    """These settings with ``a.b=c`` overrides. Raises ConfigError with every fault at once."""
    tree = settings.model_dump(mode="json")
    for override in overrides:
        _set(tree, override)
    return parse_settings(tree, "the settings given")


def parse_settings(tree: dict[str, Any], source: str, given: Sequence[Sequence[str]] = ()) -> Settings:
    """Checks a tree of plain data; of the paths ``given`` it is options, not the source, that set them. Raises
    ConfigError with all faults."""
    try:
        return Settings.model_validate(renamed(tree))
    except ValidationError as error:
        faults = [f"  {fault_line(Settings, fault)}" for fault in error.errors()]
        places = {place for fault in error.errors() for place in _places([*map(str, fault["loc"])], source, given)}
        told = " and ".join(place for place in (source, _OPTIONS) if place in places)
        raise ConfigError(
            f"{len(faults)} fault(s) in the settings from {told}:\n" + "\n".join(faults),
            remedy="correct the keys above; `augkit config show` lists every key",
        ) from error


def _places(fault: list[str], source: str, given: Sequence[Sequence[str]]) -> list[str]:
    """Who set what is at fault: the source, options, or either where a whole section is."""
    if any(fault[: len(path)] == path for path in given):
        return [_OPTIONS]
    return [source, _OPTIONS] if any(path[: len(fault)] == fault for path in given) else [source]


def dump_settings(settings: Settings) -> str:
    """The resolved settings as YAML."""
    return dump_plain(settings.model_dump(mode="json"))


def save_settings(settings: Settings, path: Path) -> None:
    """Writes the resolved settings as YAML."""
    write_text(path, dump_settings(settings))


def default_preset() -> str:
    """``gpu`` where an NVIDIA driver is loaded, else ``cpu``; asked without importing torch."""
    return "gpu" if Path("/proc/driver/nvidia/version").exists() else "cpu"


def preset_path(source: str | Path) -> Path:
    """The YAML file behind a preset's name or a path. Raises ConfigError."""
    if found := find_preset(source, preset_folders()):
        return found
    raise ConfigError(
        f"no settings at {source!s:.200}",
        "a YAML file, or a preset: " + one_of(str(source), presets()),
        "check the path given to --config",
    )


def presets() -> list[str]:
    """The names of the presets."""
    return setting_presets()


def _read_yaml(path: Path) -> dict[str, Any]:
    tree = parse_yaml(path)
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: holds a {type(tree).__name__}", "a mapping of settings")
    return tree


def _path(override: str) -> list[str]:
    """The keys of what an override sets."""
    return present_path(override.partition("=")[0]).split(".")


def _set(tree: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise ConfigError(f"--set {shown(override)}", "a.b=value", "for example --set mask.steps=500")
    *sections, key = _path(override)
    if len(sections) > _DEEPEST:
        raise ConfigError(f"--set {shown(override)}: {len(sections)} sections", f"at most {_DEEPEST}")
    node = tree
    for section in sections:
        node = node.setdefault(section, {})
        if not isinstance(node, dict):
            raise ConfigError(f"--set {shown(override)}: {section} is a value", "a section")
    try:
        node[key] = load_plain(text)
    except ValueError as error:
        raise ConfigError(
            f"--set {path}: {error} (got {shown(text)})",
            "a plain value as YAML writes it",
            "quote it, for the shell too",
        ) from error
