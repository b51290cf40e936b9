"""Where things are in a workspace (see docs/data.md). Paths only: nothing here reads or writes a file.

``remote_workspace`` has those of a workspace at a URL: there a path is asked for by ``bring``, which fetches what it
names, and shards are a URL.

What is named by data (ids, models) stays inside its folder: ``inside`` raises DataError for a name that leaves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from augkit.core.errors import DataError
from augkit.core.inside import inside

ENVIRONMENT = "AUGKIT_WORKSPACE"
"""A variable that names the workspace where no command does."""
SHARDS, CLASSICAL, PAINTED, RENDERED = "shards", "classical", "painted", "rendered"


@dataclass(frozen=True)
class Workspace:
    """The folder that holds catalogue, pairs, models, shards and reports."""

    root: Path

    @property
    def name(self) -> str:
        """What a page calls it."""
        return self.root.resolve().name

    def bring(self, path: Path) -> Path:
        """A path that is to be read or written, made so that it can be; those outside the workspace are left alone."""
        return path

    def location(self, name: str) -> Path | str:
        """Where shards are, for ``open_storage``."""
        return self.root / name

    def anywhere(self, path: Path) -> Path:
        """A path that other machines know what to do with: ``bring(root / path)``."""
        return path.resolve()

    def resolved(self) -> Workspace:
        """The workspace for processes in other folders."""
        return Workspace(self.root.resolve())

    @property
    def settings(self) -> Path:
        """Resolved settings of the last command that wrote here."""
        return self.bring(self.root / "augkit.yaml")

    @property
    def schema(self) -> Path:
        """The part schema."""
        return self.bring(self.root / "parts.json")

    @property
    def catalogue(self) -> Path:
        """One row a real photo."""
        return self.bring(self.root / "catalogue.parquet")

    @property
    def pairs(self) -> Path:
        """Canonical photos and masks: ``{id}.jpg`` and ``{id}.mask.png``."""
        return self.bring(self.root / "pairs")

    @property
    def shards(self) -> Path | str:
        """Balanced output."""
        return self.location(SHARDS)

    @property
    def classical(self) -> Path | str:
        """Real pairs and classically augmented ones, as shards."""
        return self.location(CLASSICAL)

    @property
    def painted(self) -> Path | str:
        """Pairs of `augkit paint from --shards`, as shards."""
        return self.location(PAINTED)

    @property
    def rendered(self) -> Path | str:
        """Pairs of `augkit render --shards`, as shards."""
        return self.location(RENDERED)

    @property
    def backgrounds(self) -> Path:
        """Landscapes, for augmentation presets that name no folder of their own."""
        return self.bring(self.root / "backgrounds")

    @property
    def silhouettes(self) -> Path:
        """Whole-car masks of the canonical photos: ``{id}.png``."""
        return self.bring(self.root / "silhouettes")

    def silhouette(self, id: str) -> Path:
        """The silhouette of a real pair: 255 on the car, 0 beside it; as large as the pair."""
        return inside(self.silhouettes, f"{id}.png")

    @property
    def reports(self) -> Path:
        """Contact sheets, charts, pages."""
        return self.bring(self.root / "reports")

    @property
    def models(self) -> Path:
        """Trained models: a folder a stage."""
        return self.bring(self.root / "models")

    def model(self, stage: str, name: str) -> Path:
        """Folder of a trained model, e.g. stage ``mask``, name ``all`` or a class."""
        return self.bring(inside(self.root / "models", f"{stage}/{name}"))

    def photo(self, id: str) -> Path:
        """The canonical photo of a real pair."""
        return inside(self.pairs, f"{id}.jpg")

    def mask(self, id: str) -> Path:
        """The part mask of a real pair."""
        return inside(self.pairs, f"{id}.mask.png")

    @property
    def unlabelled(self) -> Path:
        """Photos without masks: ``{id}.jpg``."""
        return self.bring(self.root / "unlabelled")

    def unlabelled_photo(self, id: str) -> Path:
        """A photo without a mask, as it was imported."""
        return inside(self.unlabelled, f"{id}.jpg")

    @property
    def gate(self) -> Path:
        """What the gate learnt."""
        return self.bring(self.root / "gate")

    @property
    def readings(self) -> Path:
        """What the teacher read of them."""
        return self.bring(self.root / "readings")

    def require_catalogue(self) -> Path:
        """The catalogue's path. Raises DataError where nothing was imported yet."""
        if not self.catalogue.is_file():
            found = "no folder, but a file" if self.root.is_file() else "no catalogue here"
            raise DataError(
                f"{self.root}: {found}",
                "a workspace with catalogue.parquet",
                "run `augkit import coco SRC --workspace DIR` or `augkit render --workspace DIR` first",
            )
        return self.catalogue
