"""Settings of a run: typed, checked as a whole, written down in the workspace.

Settings stop at the builders: classes and functions below take plain arguments. A preset is a YAML file in
``configs/`` that lists what differs from the defaults here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from augkit.errors import ConfigError

Size = Annotated[int, Field(ge=16, le=1024, multiple_of=16)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]
Precision = Literal["auto", "fp32", "bf16"]


class Section(BaseModel):
    """Base of every part of the settings: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSettings(Section):
    """How photos become canonical pairs, and how the data is split."""

    size: Size = 256
    margin: Annotated[float, Field(ge=0.0, le=1.0)] = 0.06
    val_share: Share = 0.2
    test_share: Share = 0.0

    @model_validator(mode="after")
    def _leave_training_rows(self) -> DataSettings:
        if self.val_share + self.test_share >= 1:
            raise ValueError("val_share + test_share leave no rows to train on; make their sum less than 1")
        return self


class OptimSettings(Section):
    """Adam of one player."""

    lr: Positive = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.0


class TrainSettings(Section):
    """What every training run has."""

    size: Size = 128
    steps: Count = 1000
    batch: Count = 8
    microbatches: Count = 1
    augment: str = "mild"
    ema: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.999
    sample_every: Count = 500
    save_every: Count = 500
    per_class_from: Count = 1000
    """A class with at least this many training pairs gets a model of its own; the others share ``all``."""
    workers: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _split_evenly(self) -> TrainSettings:
        if self.batch % self.microbatches:
            raise ValueError(f"batch {self.batch} cannot be cut into {self.microbatches} equal microbatches")
        return self


class MaskSettings(TrainSettings):
    """Stage I: new part masks."""

    model: str = "mask-vae"
    options: dict[str, Any] = {}
    optim: OptimSettings = OptimSettings(lr=1e-3, betas=(0.9, 0.999))
    optim_d: OptimSettings = OptimSettings()
    adversarial: str = "bce"
    kl_weight: Annotated[float, Field(ge=0.0)] = 5e-4
    size: Size = 64
    steps: Count = 2000
    batch: Count = 32


class ImageSettings(TrainSettings):
    """Stage II: masks to photos."""

    model: str = "translator"
    options: dict[str, Any] = {}
    discriminator: dict[str, Any] = {"base": 32, "norm": "spectral"}
    optim: OptimSettings = OptimSettings(lr=2e-4)
    optim_d: OptimSettings = OptimSettings(lr=4e-4)
    adversarial: str = "hinge"
    feature_matching: Annotated[float, Field(ge=0.0)] = 2.5
    perceptual: Annotated[float, Field(ge=0.0)] = 2.0
    l1: Annotated[float, Field(ge=0.0)] = 2.0
    decay_from: Share = 0.5
    """Share of the steps after which the learning rates fall linearly to 0; 1 keeps them constant."""
    size: Size = 128
    steps: Count = 1500
    batch: Count = 4


class SegmenterSettings(TrainSettings):
    """The segmentation network that reads the result."""

    model: str = "unet"
    options: dict[str, Any] = {}
    optim: OptimSettings = OptimSettings(lr=1e-3, betas=(0.9, 0.999))
    source: Literal["real", "all"] = "all"
    generated_share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.25
    """Share of generated pairs in what the segmenter sees, with source ``all``."""
    augment: str = "strong"
    size: Size = 128
    steps: Count = 800
    batch: Count = 16


class GateSettings(Section):
    """Bounds of the gate. A mask has many parts, so bounds that reject a few real masks a part reject many in all."""

    min_part_pixels: Annotated[int, Field(ge=0)] = 12
    """Connected specks below this many pixels (at 128 px; scaled by area) are removed from generated masks."""
    quantile: Annotated[float, Field(ge=0.0, lt=0.5)] = 0.0
    """Area ranges run from this quantile of the real masks to its mirror image."""
    slack: Annotated[float, Field(ge=1.0)] = 2.0
    """Factor by which the area ranges are widened at both ends."""
    required_share: Share = 0.99
    """A part that at least this share of the class's real masks show must be present."""


class BalanceSettings(Section):
    """The main job."""

    target_per_class: Count = 500
    shard_size: Count = 64
    workers: Count = 2
    threads: Count = 1
    """CPU threads of one worker; part of what makes bytes repeat, so equal for every executor."""
    attempts: Annotated[float, Field(ge=1.0)] = 12.0
    """Candidates a shard may try per pair that it wants before its class is given up."""
    retries: Annotated[int, Field(ge=0)] = 2
    quality: Annotated[int, Field(ge=1, le=100)] = 95
    lossless: bool = False


class Settings(Section):
    """All settings of a workspace; the defaults are those of the preset ``cpu``."""

    seed: Annotated[int, Field(ge=0)] = 0
    precision: Precision = "auto"
    data: DataSettings = DataSettings()
    mask: MaskSettings = MaskSettings()
    image: ImageSettings = ImageSettings()
    segmenter: SegmenterSettings = SegmenterSettings()
    gate: GateSettings = GateSettings()
    balance: BalanceSettings = BalanceSettings()


def load_settings(source: str | Path | None = None, overrides: Sequence[str] = ()) -> Settings:
    """Settings from a preset name or YAML file, then ``a.b=c`` overrides.

    Raises ConfigError with every fault at once, each with its path.
    """
    tree = _read_yaml(preset_path(source)) if source is not None else {}
    for override in overrides:
        _set(tree, override)
    return parse_settings(tree, str(source or "the defaults"))


def parse_settings(tree: dict[str, Any], source: str) -> Settings:
    """Checks a tree of plain data. Raises ConfigError with all faults."""
    try:
        return Settings.model_validate(tree)
    except ValidationError as error:
        faults = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
        raise ConfigError(
            f"{len(faults)} fault(s) in the settings from {source}:\n" + "\n".join(faults),
            remedy="correct the keys above; the presets in configs/ show every key",
        ) from error


def save_settings(settings: Settings, path: Path) -> None:
    """Writes the resolved settings as YAML, whole or not at all."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False))
    temporary.replace(path)


def default_preset() -> str:
    """``gpu`` where an NVIDIA driver is loaded, else ``cpu``; asked without importing torch."""
    return "gpu" if Path("/proc/driver/nvidia/version").exists() else "cpu"


def preset_path(source: str | Path) -> Path:
    """The YAML file behind a preset's name or a path. Raises ConfigError."""
    path = Path(source)
    if path.is_file():
        return path
    for folder in preset_folders():
        preset = folder / f"{source}.yaml"
        if preset.is_file():
            return preset
    raise ConfigError(
        f"no settings at {source}",
        "a YAML file, or a preset: " + ", ".join(presets()),
        "check the path given to --config",
    )


def preset_folders() -> list[Path]:
    """Where presets are: in the installed package, and beside it in a checkout."""
    package = Path(__file__).resolve().parent
    return [folder for folder in (package / "configs", package.parent / "configs") if folder.is_dir()]


def presets() -> list[str]:
    """The names of the presets."""
    return sorted({path.stem for folder in preset_folders() for path in folder.glob("*.yaml")})


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}", "a readable YAML file") from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: holds a {type(tree).__name__}", "a mapping of settings")
    return tree


def _set(tree: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise ConfigError(f"--set {override!r}", "a.b=value", "for example --set mask.steps=500")
    *sections, key = path.split(".")
    node = tree
    for section in sections:
        node = node.setdefault(section, {})
        if not isinstance(node, dict):
            raise ConfigError(f"--set {override!r}: {section} is a value", "a section")
    try:
        node[key] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"--set {override!r}: {error}", "a value as YAML writes it", "quote it, for the shell too"
        ) from error
