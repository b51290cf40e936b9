"""The backgrounds that the settings ask for: what stage II sees of them, and what becomes of those it makes."""

from __future__ import annotations

from pathlib import Path

from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.augment import Step
from augkit.data.augment.background import SUFFIXES, Screen
from augkit.data.catalogue import TrainingRows
from augkit.data.pair_files import require_silhouette
from augkit.gan.photo_background import CompositeBackground, PhotoBackground
from augkit.settings import ImageSettings
from augkit.sources.backdrops.scenes import Scenes, emptied_scenes, landscape_scenes


def screen_of(settings: ImageSettings) -> tuple[Step, ...]:
    """What every real pair goes through: nothing, or the chroma green behind its car."""
    return () if settings.background == "learnt" else (Screen(),)


def backdrop_of(
    workspace: Workspace, rows: TrainingRows, schema: PartSchema, settings: ImageSettings
) -> PhotoBackground:
    """What made photos go through. Raises DataError for a training pair without a silhouette, where they are read."""
    if settings.background == "learnt":
        return PhotoBackground()
    for row in rows.rows:
        require_silhouette(workspace, row.id)
    if settings.background == "green":
        return PhotoBackground()
    scenes = scenes_of(workspace, rows, schema, settings)
    return CompositeBackground.of(scenes.photos, scenes.holes, scenes.classes)


def scenes_of(workspace: Workspace, rows: TrainingRows, schema: PartSchema, settings: ImageSettings) -> Scenes:
    """Landscapes of the folder named, or of the workspace where it has any; else training photos without their cars.

    Raises ConfigError where the folder named has no pictures, DataError for one that cannot be read.
    """
    if settings.backgrounds not in ("auto", "inpainted"):
        return landscape_scenes(Path(settings.backgrounds), settings.size)
    if settings.backgrounds == "auto" and _has_pictures(workspace.backgrounds):
        return landscape_scenes(workspace.backgrounds, settings.size)
    return emptied_scenes(workspace, rows, schema, settings.size)


def _has_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES for path in folder.rglob("*"))
