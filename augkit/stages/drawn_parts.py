"""The parts that stages I and II draw: those of the workspace, and the body where silhouettes of its pairs tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from augkit.core.errors import ConfigError, DataError
from augkit.core.parts import PartSchema
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow
from augkit.data.whole_car import with_internal_body
from augkit.sources.silhouettes.silhouette_store import read_table


@dataclass(frozen=True)
class DrawnParts:
    """Their ``schema``, and the ``facts`` that models follow from beside settings and pairs."""

    schema: PartSchema
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, body: bool | Literal["auto"]
    ) -> DrawnParts:
        """``auto`` draws the body where a training row has a silhouette, and no part is the rest of the car.

        Raises DataError where the body is asked for and no row has one, ConfigError where there is such a part.
        """
        whole = with_internal_body(schema) if body else schema
        if body is True and whole is schema:
            raise ConfigError(
                f"body is set, but the parts {', '.join(schema.names[1:])} leave no room for it",
                "parts none of which is the rest of the car", "leave body at auto",
            )  # fmt: skip
        ids = {row.id for row in rows}
        table = [row for row in read_table(workspace) if row.id in ids and not row.dropped] if whole != schema else []
        if body is True and not table:
            raise DataError(
                f"{workspace.root}: body is set, but no training pair has a silhouette", "silhouettes of the pairs",
                "run augkit silhouettes, or leave body at auto",
            )  # fmt: skip
        if not table:
            return cls(schema)
        return cls(whole, {"body": derive(0, *(f"{row.id}:{row.key}:{row.area}" for row in table))})
