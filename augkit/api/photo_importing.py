"""Photos without masks: what became of them in an import, and what it refuses of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augkit.api.shown import Shown
from augkit.core.errors import ConfigError

if TYPE_CHECKING:
    from augkit.core.workspace import Workspace
    from augkit.data.ingest.photo_ingestion import PhotoImport

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


def refuse_for_photos(**options: object) -> None:
    """Raises ConfigError for what speaks of masks."""
    for name, value in options.items():
        if value is not None:
            raise ConfigError(f"--{name} {value} for photos without masks", "masks that it speaks of", "leave it away")
