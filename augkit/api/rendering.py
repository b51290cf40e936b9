"""A data set of drawn cars, to try things on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from augkit.api.bars import shown
from augkit.api.importing import ImportedDataset, RowCount
from augkit.api.opened import Changes, Config, Place, open_workspace, settings_of
from augkit.core.remote_workspace import remote_workspaces

if TYPE_CHECKING:
    from augkit.core.progress import Progress


@remote_workspaces()
def render(
    workspace: Place, count: int = 200, *, lopsided: bool = False, classes: Mapping[str, int] | None = None,
    config: Config = None, changes: Changes = (), progress: Progress | None = None,
) -> ImportedDataset:  # fmt: skip
    """Draws cars with exact part masks into the workspace: ``count`` in all, as many of every class or as ``lopsided``
    as real data; or, whatever these say, so many of each of the ``classes``."""
    from augkit.core.classes import CarClass
    from augkit.data.ingest.ingestion import ingest
    from augkit.settings import dump_settings
    from augkit.sources.render import render_schema
    from augkit.sources.render.rendered_samples import even_counts, lopsided_counts, rendered_samples

    place = open_workspace(workspace)
    settings, schema = settings_of(place, config, changes), render_schema()
    if classes is None:
        counts = lopsided_counts(count) if lopsided else even_counts(count)
    else:
        counts = {CarClass.parse(name): number for name, number in classes.items()}
    samples = rendered_samples(counts, settings.data.size, settings.seed)
    with shown(progress) as told:
        rows = ingest(
            samples, schema, place, settings.data.options(settings.seed), importer="render",
            settings=dump_settings(settings), on_row=RowCount("rendering", sum(counts.values()), told),
        )  # fmt: skip
    return ImportedDataset(place, "render", schema, rows, [])
