"""The data that `augkit demo` starts from: drawn cars that stand in for photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augkit.api.bars import shown
from augkit.api.importing import RowCount
from augkit.api.opened import Changes, Config, Place, open_workspace, settings_of
from augkit.api.shown import Shown
from augkit.core.errors import DataError
from augkit.core.remote_workspace import remote_workspaces

if TYPE_CHECKING:
    from augkit.core.progress import Progress
    from augkit.core.workspace import Workspace
    from augkit.settings import Settings

IMPORTER = "demo"
LABELS, UNLABELLED, HELD_OUT = 24, 5, 4
"""Cars with masks to learn from; for each of them, so many photos without masks, and so many cars held out."""


@dataclass(frozen=True)
class DemoSet(Shown):
    """How many cars there are to learn from with masks and without, and how many are held out."""

    labelled: int
    unlabelled: int
    held_out: int

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return vars(self)

    def table(self) -> str:
        """See ``Shown``."""
        return (
            f"{self.labelled} drawn cars with masks, most of them five-door cars seen from the front; "
            f"{self.unlabelled} without masks; {self.held_out} held out, equally many of every class"
        )


@remote_workspaces()
def demo_set(
    workspace: Place, labels: int = LABELS, *, config: Config = None, changes: Changes = (),
    progress: Progress | None = None,
) -> DemoSet:  # fmt: skip
    """Draws cars as snapshots into the workspace, ``labels`` of them with masks and as lopsided as real data; what is
    there already stays. Raises DataError for a workspace with other photos."""
    from augkit.data.catalogue import Catalogue

    place = open_workspace(workspace)
    settings = settings_of(place, config, changes)
    if place.catalogue.is_file() and any(row.importer != IMPORTER for row in Catalogue(place.catalogue)):
        raise DataError(f"{place.root}: photos that are not the demo's", "a folder of its own", "name another one: -w")
    with shown(progress) as told:
        if not place.catalogue.is_file():
            _draw_labelled(place, labels, settings, told)
        labelled = sum(row.split == "train" for row in Catalogue(place.catalogue))
        if next(Catalogue(place.catalogue).unlabelled(), None) is None:
            _draw_unlabelled(place, UNLABELLED * labelled, settings, told)
    there = Catalogue(place.catalogue)
    return DemoSet(labelled, sum(1 for _ in there.unlabelled()), sum(row.split == "test" for row in there))


def _draw_labelled(place: Workspace, labels: int, settings: Settings, progress: Progress) -> None:
    from augkit.data.ingest.ingestion import ingest
    from augkit.settings import dump_settings
    from augkit.sources.render import render_schema
    from augkit.sources.render.demo_cars import equally, labelled_cars

    own, held_out = settings.data, HELD_OUT * labels
    told = RowCount("drawing cars", labels + sum(equally(held_out).values()), progress)
    ingest(
        labelled_cars(labels, held_out, own.size, settings.seed), render_schema(), place, own.options(settings.seed),
        importer=IMPORTER, settings=dump_settings(settings), on_row=told,
    )  # fmt: skip


def _draw_unlabelled(place: Workspace, count: int, settings: Settings, progress: Progress) -> None:
    from augkit.data.ingest.photo_ingestion import ingest_photos
    from augkit.sources.render.demo_cars import equally, unlabelled_cars

    own = settings.data
    ingest_photos(
        unlabelled_cars(count, own.size, settings.seed), place, own.options(settings.seed), importer=IMPORTER,
        on_row=RowCount("drawing photos", sum(equally(count).values()), progress),
    )  # fmt: skip
