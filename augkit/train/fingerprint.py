"""What a model was trained on and with: noted in ``config.json``, and held against what it is asked to serve."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from augkit.core.errors import CheckpointError
from augkit.core.seeds import derive
from augkit.data.catalogue import CatalogueRow

CODE = 1
"""Raised with every change of the code after which the same settings and pairs train another model."""

_FREE = {"seed", "precision"}
"""What may differ where a model is used: another seed draws other pairs from the same model."""

_PHOTO = 16
"""Letters of a photo's sha256 that are noted."""


def pairs_digest(rows: Sequence[CatalogueRow]) -> int:
    """Digest of training pairs: which photos, how they are cut, what their masks hold, the classes they count for."""
    facts = (
        f"{row.id}:{row.sha256}:{row.crop_x},{row.crop_y},{row.crop_side},{row.size}:{row.histogram}:{row.car_class.name}"
        for row in rows
    )
    return derive(0, *facts)


def photo_names(rows: Sequence[CatalogueRow]) -> list[str]:
    """The photos of the rows, by their content."""
    return sorted({row.sha256[:_PHOTO] for row in rows if row.sha256})


def require_fit(
    folder: Path, about: Mapping[str, Any], fingerprint: Mapping[str, Any], held_out: Collection[str], remedy: str
) -> None:
    """Raises CheckpointError where the model in the folder, by its description, was trained with other settings, on
    other pairs or by other code than ``fingerprint`` says. ``held_out`` are names of photos that must not train.
    """
    noted: Mapping[str, Any] | None = about.get("fingerprint")
    if noted is None:
        return
    other = [key for key in {*noted, *fingerprint} - _FREE if noted.get(key) != fingerprint.get(key)]
    if not other:
        return
    said = {"pairs": _pairs_said(about, held_out), "code": f"code version {noted.get('code')}, now {CODE}"}
    listed = [said.get(key, f"{key}: {noted.get(key)} then, {fingerprint.get(key)} now") for key in sorted(other)]
    raise CheckpointError(
        f"{folder}: trained on other pairs or with other settings ({'; '.join(listed)})",
        "a model of this command's settings and of the training pairs as they are now",
        remedy,
    )


def require_no_held_out(folder: Path, about: Mapping[str, Any], held_out: Collection[str]) -> None:
    """Raises CheckpointError where a model that is to be started from has seen a photo that is held out now, or does
    not say which photos it has seen."""
    if "photos" not in about:
        raise CheckpointError(
            f"{folder}: does not say on which photos it was trained (a run of an earlier version)",
            "a run that does",
            "train it again with this version",
        )
    seen = set(about["photos"]) & set(held_out)
    if seen:
        raise CheckpointError(
            f"{folder}: trained on {len(seen)} photos that are held out here",
            "a model that saw none of the held-out photos",
            "train it again on the present split, or start from another one",
        )


def _pairs_said(about: Mapping[str, Any], held_out: Collection[str]) -> str:
    photos = about.get("photos", [])
    leaked = len(set(photos) & set(held_out))
    return f"other pairs: {leaked} of its {len(photos)} photos are held out now" if leaked else "other pairs"
