"""Mixing: pictures between two projections, made from weighted means of their latents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, ConfigError
from augkit.core.inside import inside
from augkit.stages.projection.latent_model import LatentModel
from augkit.stages.projection.projections import SUFFIX, Projection, load_projection
from augkit.stages.projection.projector import Projector
from augkit.stages.projection.strip import write_strip
from augkit.stages.projection.targets import ProjectionSource, read_source
from augkit.train.image_grid import write_picture

STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The weights that a strip always shows."""


@dataclass(frozen=True)
class Mix:
    """What was written: the ``strip`` over ``weights``, and the ``picture`` of the asked weight, a mask or a photo.

    ``other_class`` is that of B where it is not A's, which the result keeps.
    """

    weights: tuple[float, ...]
    strip: Path
    picture: Path
    car_class: CarClass
    other_class: CarClass


def blend(a: Float[Tensor, " latent"], b: Float[Tensor, " latent"], weight: float) -> Float[Tensor, " latent"]:
    """(1 - w) a + w b; exactly a at 0 and b at 1."""
    return (1 - weight) * a + weight * b


def check_weight(weight: float) -> None:
    """Raises ConfigError for a weight beyond 0 and 1, where latents are no blend any more."""
    if not 0 <= weight <= 1:
        raise ConfigError(f"--weight {weight}", "a number from 0 (A alone) to 1 (B alone)")


def find_stored(projector: Projector, word: str) -> Projection | None:
    """A projection that was made before, by its file or name; None for what has to be projected first."""
    path = Path(word) if word.endswith(SUFFIX) else projector.folder / (word + SUFFIX)
    return load_projection(path) if word.endswith(SUFFIX) or path.is_file() else None


def find_pair(
    projector: Projector, words: tuple[str, str], car_class: CarClass | None
) -> tuple[Projection, Projection]:
    """Both projections; pictures are projected first, under ``car_class`` if given.

    Raises ConfigError where a class is given and nothing is projected.
    """
    stored = {word: find_stored(projector, word) for word in words}
    missing = [word for word, found in stored.items() if found is None]
    if car_class is not None and not missing:
        raise ConfigError(
            f"--class {car_class.name} with projections that were made before", "no --class: each has its own",
            "leave it out, or project the pictures again with it",
        )  # fmt: skip
    sources: list[ProjectionSource] = [read_source(projector.store, word, None, car_class) for word in missing]
    found = {word: projection for word, projection in stored.items() if projection is not None}
    found |= dict(zip(missing, projector.project_all(sources), strict=True))
    return found[words[0]], found[words[1]]


def mix(projector: Projector, a: Projection, b: Projection, weight: float) -> Mix:
    """Writes the strip and the picture of ``weight``.

    Raises ConfigError for latents of two generators, or of two classes where the generator is told the class, and
    CheckpointError for latents of a generator that is not there any more.
    """
    check_weight(weight)
    model = _common_model(projector, a, b)
    weights = tuple(sorted({*STOPS, weight}))
    latents = [blend(a.z, b.z, w) for w in weights]
    place = inside(projector.store.workspace.reports, f"mixes/{a.name}+{b.name}")
    strip, picture = place.with_name(place.name + ".png"), place.with_name(f"{place.name}-{weight:g}.png")
    titles = [f"{w:g}" for w in weights]
    write_strip(strip, [model.picture(z, a.car_class) for z in latents], titles, weights.index(weight))
    make = model.mask if model.stage == "mask" else model.picture
    write_picture(picture, make(latents[weights.index(weight)], a.car_class))
    return Mix(weights, strip, picture, a.car_class, b.car_class)


def _common_model(projector: Projector, a: Projection, b: Projection) -> LatentModel:
    if (a.stage, a.model) != (b.stage, b.model):
        raise ConfigError(
            f"{a.name} is a latent of {a.stage} {a.model}, {b.name} of {b.stage} {b.model}",
            "two latents of one model", "project both under a class that one model serves (--class)",
        )  # fmt: skip
    model = projector.model(a.stage, a.model)
    for projection in (a, b):
        if projection.generator != model.digest:
            raise CheckpointError(
                f"{projection.name}: a latent of another {a.stage} {a.model} ({projection.generator[:12]})",
                f"of the one that is there ({model.digest[:12]})", f"augkit project {projection.source}",
            )  # fmt: skip
    if model.told and a.car_class != b.car_class:
        raise ConfigError(
            f"{a.name} is of the class {a.car_class.name}, {b.name} of {b.car_class.name}",
            f"two latents of one class: {a.stage} {a.model} is told the class, so a latent means another picture "
            "in another one",
            f"augkit project {b.source} --class {a.car_class.name}",
        )  # fmt: skip
    return model
