"""A data set of drawn cars, to try things on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augkit.api.bars import shown
from augkit.api.importing import ImportedDataset, RowCount
from augkit.api.opened import Changes, Config, Place, open_workspace, settings_of
from augkit.api.shown import Shown
from augkit.core.remote_workspace import remote_workspaces

if TYPE_CHECKING:
    from augkit.core.classes import CarClass
    from augkit.core.progress import Progress


@remote_workspaces()
def render(
    workspace: Place, count: int = 200, *, lopsided: bool = False, classes: Mapping[str, int] | None = None,
    config: Config = None, changes: Changes = (), progress: Progress | None = None,
) -> ImportedDataset:  # fmt: skip
    """Draws cars with exact part masks into the workspace: ``count`` in all, as many of every class or as ``lopsided``
    as real data; or, whatever these say, so many of each of the ``classes``."""
    from augkit.data.ingest.ingestion import ingest
    from augkit.settings import dump_settings
    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import rendered_samples

    place = open_workspace(workspace)
    settings, schema = settings_of(place, config, changes), render_schema()
    counts = _counts(count, lopsided, classes)
    samples = rendered_samples(counts, settings.data.size, settings.seed)
    with shown(progress) as told:
        rows = ingest(
            samples, schema, place, settings.data.options(settings.seed), importer="render",
            settings=dump_settings(settings), on_row=RowCount("rendering", sum(counts.values()), told),
        )  # fmt: skip
    return ImportedDataset(place, "render", schema, rows, [])


@dataclass(frozen=True)
class RenderedShards(Shown):
    """``there`` cars in the shards at ``shards``, of which ``new`` ones were drawn now."""

    shards: str
    there: int
    new: int

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return vars(self)

    def table(self) -> str:
        """See ``Shown``."""
        return f"{self.there} rendered cars in {self.shards}, {self.new} of them new"


@remote_workspaces()
def render_shards(
    workspace: Place, count: int = 500, *, lopsided: bool = False, classes: Mapping[str, int] | None = None,
    config: Config = None, changes: Changes = (), progress: Progress | None = None,
) -> RenderedShards:  # fmt: skip
    """Draws cars with the parts of the workspace's photos into WORKSPACE/rendered, as shards to train a segmenter on
    beside its photos; cars that are there stay. Their size is ``image.size``, as that of all pairs of shards.

    Raises DataError where nothing was imported, or parts that no rendered car shows.
    """
    from augkit.core.errors import DataError
    from augkit.core.parts import PartSchema
    from augkit.core.workspace import RENDERED
    from augkit.shards.reader import ShardDataset
    from augkit.sources.render.rendered_shards import RenderRequest, write_rendered

    place = open_workspace(workspace)
    if not place.schema.is_file():
        raise DataError(f"{place.root}: no imported photos", "a workspace with parts", "run augkit import first")
    settings = settings_of(place, config, changes)
    counts, codec = _counts(count, lopsided, classes), settings.balance
    request = RenderRequest(counts, settings.image.size, settings.seed, codec.quality, codec.lossless)
    with shown(progress) as told:
        new = write_rendered(place.rendered, place.root / RENDERED, request, PartSchema.load(place.schema), told)
    return RenderedShards(str(place.rendered), len(ShardDataset(place.rendered)), new)


def _counts(count: int, lopsided: bool, classes: Mapping[str, int] | None) -> Mapping[CarClass, int]:
    from augkit.core.classes import CarClass
    from augkit.sources.render.rendered_samples import even_counts, lopsided_counts

    if classes is not None:
        return {CarClass.parse(name): number for name, number in classes.items()}
    return lopsided_counts(count) if lopsided else even_counts(count)
