"""Presets: YAML files in ``configs/``, found by name. Those in ``configs/augment/`` are lists of transforms."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Any

from augkit.core.errors import ConfigError
from augkit.core.plain_yaml import load_plain
from augkit.core.regular_file import SETTINGS, read_plain

LABEL_WARP, LABEL_COARSEN = "LabelWarp", "LabelCoarsen"
LABEL_STEPS = (LABEL_WARP, LABEL_COARSEN)
"""The steps that move the mask away from its photo."""

NO_LABEL_WARP = (
    f"{' and '.join(LABEL_STEPS)} move the mask away from its photo: what learns from the pair would learn wrong "
    "outlines; only stage II (image.augment), which makes the photo after the mask, may use them"
)

MIXING_STEPS = ("CutMix", "CopyPaste", "PartSwap")
"""The steps that take pixels, and their parts, from another pair."""

NO_MIXING = (
    f"{', '.join(MIXING_STEPS)} put two cars into one picture: a segmenter learns from such pairs, but a generator "
    "would draw them; only segmenters may use them"
)

Step = tuple[str, dict[str, Any]]
"""A transform's name and its arguments."""

USUAL_BACKEND = "albumentations"
"""Moves the pixels where a preset's name does not begin with another backend's, as in ``torchvision:strong``."""


def preset_folders() -> list[Path]:
    """Where presets are: in the installed package, and beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    return [folder for folder in (package / "configs", package.parent / "configs") if folder.is_dir()]


def setting_presets() -> list[str]:
    """The names of the presets of settings."""
    return sorted({path.stem for folder in preset_folders() for path in folder.glob("*.yaml")})


def find_preset(source: str | Path, folders: Sequence[Path]) -> Path | None:
    """The file of a path or of a preset's name; None where there is neither."""
    named = [folder / f"{source}.yaml" for folder in folders]
    return next((path for path in (Path(source), *named) if os.path.isfile(path)), None)  # noqa: PTH113 (any text)


def parse_yaml(path: Path) -> Any:
    """The plain data in a file. Raises ConfigError where it is no YAML."""
    try:
        return load_plain(read_plain(path, SETTINGS))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}", "a readable YAML file of plain values", "correct the file") from error


@dataclass(frozen=True)
class Recipe:
    """An augmentation preset as it was read: the steps in order. ``folder`` is what its relative paths start from,
    ``backend`` who moves the pixels."""

    name: str
    folder: Path
    steps: tuple[Step, ...]
    backend: str = USUAL_BACKEND

    @property
    def digest(self) -> str:
        """sha256 over the steps, and over a backend that is not the usual one."""
        told: Any = self.steps if self.backend == USUAL_BACKEND else (self.backend, self.steps)
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    @property
    def warps_labels(self) -> bool:
        """Whether a step moves the mask away from its photo."""
        return any(name in LABEL_STEPS for name, _ in self.steps)

    @property
    def mixes_pairs(self) -> bool:
        """Whether a step needs another pair."""
        return any(name in MIXING_STEPS for name, _ in self.steps)


def load_recipe(source: str | Path) -> Recipe:
    """The augmentation preset of a name or YAML file, with ``BACKEND:`` before it where the usual one is not meant; its
    transforms are checked where they are built. ``strong+cutmix``: the steps of both, one after the other.

    Raises ConfigError where there is none, or the file is no list of transforms.
    """
    backend, place = split_backend(source)
    if len(places := _joined(place)) > 1:
        read = [_rooted(load_recipe(own)) for own in places]
        return Recipe(str(source), Path(), tuple(step for recipe in read for step in recipe.steps), backend)
    path = find_preset(place, _augment_folders())
    if path is None:
        expected = "a YAML file, or a preset: " + ", ".join(augment_presets())
        raise ConfigError(f"no augmentation preset at {source!s:.200}", expected, "check the name or the path")
    tree = parse_yaml(path)
    steps = recipe_steps([] if tree is None else tree, str(path))
    return Recipe(str(source), path.resolve().parent, steps, backend)


def _joined(place: str) -> list[str]:
    """``strong+cutmix`` -> both; the name of a file may have a + of its own."""
    return [place] if find_preset(place, _augment_folders()) else place.split("+")


def _rooted(recipe: Recipe) -> Recipe:
    """The same with folders that are found from anywhere."""
    steps = [
        (
            name,
            said | {"folder": str(recipe.folder / Path(said["folder"]).expanduser())} if said.get("folder") else said,
        )
        for name, said in recipe.steps
    ]
    return replace(recipe, steps=tuple(steps))


def split_backend(source: str | Path) -> tuple[str, str]:
    """``torchvision:strong`` -> (``torchvision``, ``strong``)."""
    backend, colon, place = str(source).partition(":")
    named = colon and backend.isidentifier() and not Path(source).is_file()
    return (backend, place) if named else (USUAL_BACKEND, str(source))


def absolute_recipe(source: str) -> str:
    """The same preset as it is named from any folder: a file by its whole path."""
    backend, place = split_backend(source)
    found = "+".join(own if own in augment_presets() else str(Path(own).resolve()) for own in _joined(place))
    return found if backend == USUAL_BACKEND else f"{backend}:{found}"


def recipe_steps(tree: Any, place: str) -> tuple[Step, ...]:
    """``["Flip", {"Affine": {...}}]`` as (name, arguments). Raises ConfigError, which names the ``place``."""
    if not isinstance(tree, list):
        raise _no_recipe(tree, place)
    return tuple(_step(entry, place) for entry in tree)


def _step(entry: Any, place: str) -> Step:
    if isinstance(entry, str):
        return entry, {}
    if isinstance(entry, dict) and len(entry) == 1:
        [(name, arguments)] = entry.items()
        if isinstance(name, str) and isinstance(arguments, dict | NoneType):
            return name, {str(key): value for key, value in (arguments or {}).items()}
    raise _no_recipe(entry, place)


def _no_recipe(found: Any, place: str) -> ConfigError:
    example = "a list of transforms: `- Affine: {rotate: [-3, 3]}`, or `- Flip`"
    return ConfigError(f"{place}: {found!r}", example, "see docs/augmentation.md")


def augment_presets() -> list[str]:
    """The names of the augmentation presets."""
    return sorted({path.stem for folder in _augment_folders() for path in folder.glob("*.yaml")})


def _augment_folders() -> list[Path]:
    return [folder / "augment" for folder in preset_folders()]
