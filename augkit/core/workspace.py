"""Where things are in a workspace (see docs/data.md). Paths only: nothing here reads or writes a file.

What is named by data (ids, models) stays inside its folder: ``inside`` raises DataError for a name that leaves it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from augkit.core.errors import DataError
from augkit.core.inside import inside

ENVIRONMENT = "AUGKIT_WORKSPACE"


@dataclass(frozen=True)
class Workspace:
    """The folder that holds catalogue, pairs, models, shards and reports."""

    root: Path

    @classmethod
    def default(cls) -> Workspace:
        """``AUGKIT_WORKSPACE``, or the current folder."""
        return cls(Path(os.environ.get(ENVIRONMENT, ".")))

    @property
    def settings(self) -> Path:
        """Resolved settings of the last command that wrote here."""
        return self.root / "augkit.yaml"

    @property
    def schema(self) -> Path:
        """The part schema."""
        return self.root / "parts.json"

    @property
    def catalogue(self) -> Path:
        """One row a real photo."""
        return self.root / "catalogue.parquet"

    @property
    def pairs(self) -> Path:
        """Canonical photos and masks: ``{id}.jpg`` and ``{id}.mask.png``."""
        return self.root / "pairs"

    @property
    def shards(self) -> Path:
        """Balanced output."""
        return self.root / "shards"

    @property
    def classical(self) -> Path:
        """Real pairs and classically augmented ones, as shards."""
        return self.root / "classical"

    @property
    def painted(self) -> Path:
        """Pairs of `augkit paint from --shards`, as shards."""
        return self.root / "painted"

    @property
    def backgrounds(self) -> Path:
        """Landscapes, for augmentation presets that name no folder of their own."""
        return self.root / "backgrounds"

    @property
    def silhouettes(self) -> Path:
        """Whole-car masks of the canonical photos: ``{id}.png``."""
        return self.root / "silhouettes"

    def silhouette(self, id: str) -> Path:
        """The silhouette of a real pair: 255 on the car, 0 beside it; as large as the pair."""
        return inside(self.silhouettes, f"{id}.png")

    @property
    def reports(self) -> Path:
        """Contact sheets, charts, pages."""
        return self.root / "reports"

    @property
    def models(self) -> Path:
        """Trained models: a folder a stage."""
        return self.root / "models"

    def model(self, stage: str, name: str) -> Path:
        """Folder of a trained model, e.g. stage ``mask``, name ``all`` or a class."""
        return inside(self.models, f"{stage}/{name}")

    def photo(self, id: str) -> Path:
        """The canonical photo of a real pair."""
        return inside(self.pairs, f"{id}.jpg")

    def mask(self, id: str) -> Path:
        """The part mask of a real pair."""
        return inside(self.pairs, f"{id}.mask.png")

    @property
    def unlabelled(self) -> Path:
        """Photos without masks: ``{id}.jpg``."""
        return self.root / "unlabelled"

    def unlabelled_photo(self, id: str) -> Path:
        """A photo without a mask, as it was imported."""
        return inside(self.unlabelled, f"{id}.jpg")

    @property
    def readings(self) -> Path:
        """What the teacher read of them."""
        return self.root / "readings"

    def require_catalogue(self) -> Path:
        """The catalogue's path. Raises DataError where nothing was imported yet."""
        if not self.catalogue.is_file():
            raise DataError(
                f"{self.root}: no catalogue here",
                "a workspace with catalogue.parquet",
                "run `augkit import coco SRC --workspace DIR` or `augkit render --workspace DIR` first",
            )
        return self.catalogue
