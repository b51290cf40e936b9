"""Photos without masks into a workspace that has labelled ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augkit.api.shown import Shown
from augkit.core.errors import ConfigError

if TYPE_CHECKING:
    from augkit.core.workspace import Workspace
    from augkit.data.catalogue import CatalogueRow
    from augkit.data.ingest.ingest_options import IngestOptions
    from augkit.data.ingest.photo_ingestion import PhotoImport
    from augkit.data.samples import SampleSet

_SHOWN_REFUSALS = 10


@dataclass(frozen=True)
class ImportedPhotos(Shown):
    """What became of photos without masks."""

    workspace: Workspace
    importer: str
    outcome: PhotoImport

    def to_dict(self) -> dict[str, Any]:
        """See ``Shown``."""
        return {"workspace": str(self.workspace.root), "importer": self.importer} | self.outcome.to_dict()

    def table(self) -> str:
        """See ``Shown``."""
        found = self.outcome
        lines = [f"{found.joined} photos without masks joined the catalogue, {found.known} were there before"]
        if found.boxless:
            lines.append(f"{found.boxless} of them have no box: the teacher will look for the car")
        if found.refused:
            some = found.shown[:_SHOWN_REFUSALS]
            lines += [f"{found.refused} refused", *(f"  {file}: {reason}" for file, reason in some)]
        return "\n".join(lines)


def import_photos(  # noqa: PLR0917  # an import's parts
    data: SampleSet,
    workspace: Workspace,
    options: IngestOptions,
    importer: str,
    on_row: Callable[[CatalogueRow], None],
    workers: int,
    strict: bool,
) -> ImportedPhotos:
    """What ``import_dataset`` does with samples that have no masks."""
    from augkit.data.ingest.photo_ingestion import ingest_photos

    outcome = ingest_photos(
        data.samples, workspace, options, importer=importer, workers=workers, strict=strict, on_row=on_row
    )
    return ImportedPhotos(workspace, importer, outcome)


def refuse_for_photos(**options: object) -> None:
    """Raises ConfigError for what speaks of masks."""
    for name, value in options.items():
        if value is not None:
            raise ConfigError(f"--{name} {value} for photos without masks", "masks that it speaks of", "leave it away")
