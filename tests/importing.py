"""Samples into workspaces, as `augkit import` brings them there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from augkit.settings import Settings, dump_settings

if TYPE_CHECKING:
    from augkit.core.parts import PartSchema
    from augkit.core.workspace import Workspace
    from augkit.data.samples import Sample


def import_samples(
    samples: Iterable[Sample], schema: PartSchema, workspace: Workspace, settings: Settings, seed: int
) -> None:
    """``seed`` decides the splits."""
    from augkit.data.ingest.ingestion import ingest

    options, text = settings.data.options(seed), dump_settings(settings)
    ingest(samples, schema, workspace, options, importer="render", settings=text)
