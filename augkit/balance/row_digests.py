"""What the pairs of a job depend on, as digests: a run goes on where they are the same, and only there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from augkit.balance.mask_hardness import MaskHardness
from augkit.balance.plan import Kind, PlanRow, digest_of
from augkit.balance.rendered_masks import rendered_masks
from augkit.balance.run_plan import facts_of
from augkit.core.classes import CarClass
from augkit.data.catalogue import CatalogueRow
from augkit.gate.options import JUDGED_AGAIN
from augkit.settings import Settings
from augkit.stages.model_store import STAGES, ModelStore, Stage
from augkit.train.checkpoint import digest
from augkit.train.model_folder import MODEL, is_finished


def inputs_digest(
    rows: Sequence[CatalogueRow], schema: str, settings: Settings, style: str, facts: dict[str, Any]
) -> str:
    """Of what the whole plan depends on: the pairs and the settings, less those that only move the gate's bounds.

    ``schema`` is its digest, ``style`` that of a photo that was asked for.
    """
    balance = settings.balance
    hard = {"hard_sampling"} if balance.hard_sampling else set()
    return digest_of(
        {
            "rows": facts_of(rows),
            "schema": schema,
            "seed": settings.seed,
            "size": settings.image.size,
            "gate": settings.gate.model_dump(mode="json", exclude=set(JUDGED_AGAIN)),
            "balance": balance.model_dump(include={"shard_size", "threads", "quality", "lossless"} | hard),
            "style": style,
            **facts,
        }
    )


@dataclass(frozen=True)
class RowDigests:
    """The digest of a row with the models of its class: a retrained model makes its shards stale.

    What was looked up once is kept: a new one is needed where models may have changed.
    """

    inputs: str
    store: ModelStore
    hardness: MaskHardness
    _used: dict[tuple[Kind, str], list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __call__(self, row: PlanRow) -> str:
        """Of one row."""
        key = row.kind, row.class_name
        if key not in self._used:
            self._used[key] = self._models(*key)
        return row.digest(self.inputs, self._used[key])

    def _models(self, kind: Kind, class_name: str) -> list[str]:
        if not class_name or kind == "pseudo":
            return []
        car_class = CarClass.parse(class_name)
        if kind == "rendered":
            return [rendered_masks().version, self._weights("image", car_class)]
        return [*(self._weights(stage, car_class) for stage in STAGES), *self.hardness.facts]

    def _weights(self, stage: Stage, car_class: CarClass) -> str:
        """Hash of the model that serves a class; empty where it is not trained yet."""
        folder = self.store.usable(stage, self.store.model(stage, car_class))
        return digest(folder / MODEL) if is_finished(folder) else ""
