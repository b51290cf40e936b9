"""Classical augmentation of pairs, as a preset in YAML asks for it (see docs/augmentation.md).

A backend moves pixels; what it cannot know is here: the flip that swaps left and right parts, other backgrounds,
pixels of other pairs, and the warp of a mask alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

# Before the import: else albumentations asks the package index for its newest version, 2 s without a network.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.core.presets import Recipe, load_recipe
from augkit.core.seeds import derive
from augkit.data.augment.background import Background, Screen
from augkit.data.augment.pair_mixing import MIXERS
from augkit.data.augment.preset import build_steps
from augkit.data.augment.steps import AugmentState, Flip, Partner, Silhouette, Step, no_partner
from augkit.data.pair import Pair

READERS = (Background, Screen)
"""Steps that read the silhouette."""

__all__ = ["Augmentation", "Silhouette", "Step", "no_silhouette"]


def no_silhouette() -> Silhouette:
    """Stands for the silhouette of a pair that has none. Raises DataError."""
    raise DataError(
        "backgrounds are to be replaced, but this pair has no silhouette",
        "WORKSPACE/silhouettes/{id}.png",
        "run `augkit silhouettes`, or choose a preset without Background",
    )


class Augmentation:
    """A preset, applied to a pair with a seed of its own: the same seed gives the same result in any process.

    ``(pair, seed, silhouette) -> pair``; ``silhouette`` is called where the preset needs one. Masks only ever hold ids
    they held before or the ids of mirrored parts, and background or ignore where the preset fills with them.
    ``backgrounds`` is the folder of landscapes of a preset that names none; ``last`` are steps after the preset's.
    """

    def __init__(
        self,
        preset: str | Recipe,
        schema: PartSchema,
        backgrounds: Path | None = None,
        last: Sequence[Step] = (),
    ) -> None:
        recipe = preset if isinstance(preset, Recipe) else load_recipe(preset)
        self.steps = (*build_steps(recipe, schema, backgrounds), *last)
        self.needs_silhouette = any(isinstance(step, READERS) for step in self.steps)
        if self.needs_silhouette and recipe.mixes_pairs:
            raise ConfigError(
                f"{recipe.name}: other backgrounds and pixels of other pairs", "one of them", "leave the other one out"
            )

    def __call__(
        self,
        pair: Pair,
        seed: int,
        silhouette: Callable[[], Silhouette] = no_silhouette,
        partner: Partner = no_partner,
    ) -> Pair:
        """See the class. ``partner`` is asked by steps that mix pairs; what it gives takes the steps before them."""
        view = AugmentState(pair, silhouette() if self.needs_silhouette else None)
        for place, step in enumerate(self.steps):
            if isinstance(step, MIXERS):
                view = replace(view, partner=partial(self._augmented, partner, place))
            view = step(view, derive(seed, place))
        return view.pair

    def _augmented(self, partner: Partner, end: int, seed: int, like: CarClass | None) -> Pair:
        """Another pair after the steps before ``end``, those that mix left out."""
        view = AugmentState(partner(seed, like), None)
        for place, step in enumerate(self.steps[:end]):
            if not isinstance(step, MIXERS):
                view = step(view, derive(seed, "partner", place))
        return view.pair

    def mirrors(self, seed: int) -> bool:
        """Whether a pair comes out as its mirror image, told without making it."""
        flips = [isinstance(step, Flip) and step.flips(derive(seed, place)) for place, step in enumerate(self.steps)]
        return bool(sum(flips) % 2)
