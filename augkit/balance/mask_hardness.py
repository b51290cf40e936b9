"""How hard each real mask is, for ``balance.hard_sampling``: 1 - the agreement that the gate found on its real pair.

The gate's segmenters are cross-fitted, so none judged a pair that it was trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augkit.balance.plan import digest_of
from augkit.core.errors import CheckpointError
from augkit.gan.generated import MaskSource
from augkit.gate.fit import is_ready, real_scores
from augkit.gate.reference import ReferenceSet
from augkit.train.model_folder import load_description

ANCHORS = "anchors"
"""Of a model's description: ids of the pairs whose latents, and then those of their mirror images, its bank holds."""


@dataclass(frozen=True)
class MaskHardness:
    """A number for each real pair, by id; off where ``power`` is 0."""

    power: float
    table: Mapping[str, float]

    @classmethod
    def of(cls, power: float, references: Callable[[], ReferenceSet]) -> MaskHardness:
        """By what the gate found on its references; an empty table where it is not fitted on these yet."""
        if not power:
            return cls(0.0, {})
        judged = references()
        if not is_ready(judged):
            return cls(power, {})
        real = real_scores(judged)
        return cls(power, {id: 1 - own["agreement"] for id, own in zip(real.ids, real.scores, strict=True)})

    @property
    def facts(self) -> list[str]:
        """What shards depend on; nothing where it is off."""
        return [digest_of({"power": self.power, "table": dict(self.table)})] if self.power else []

    def anchors(self, folder: Path, about: Mapping[str, Any]) -> list[str]:
        """The ids of the masks that a model of stage I starts from; none where this is off.

        Raises CheckpointError for a model that does not know them, and for masks that the gate has not judged.
        """
        if not self.power:
            return []
        ids = about.get(ANCHORS)
        if ids is None:
            raise CheckpointError(
                f"{folder}: does not tell which real masks it starts from", "balance.hard_sampling needs a VAE of "
                "stage I that was trained by this version", "train it again: augkit train mask --fresh, or set "
                "balance.hard_sampling to 0",
            )  # fmt: skip
        strange = [id for id in ids if id not in self.table]
        if strange:
            raise CheckpointError(
                f"{folder}: {len(strange)} of its {len(ids)} real masks have no agreement, {strange[0]} first",
                "a gate fitted on the pairs that the model was trained on",
                "run augkit gate --refit; where pairs were taken out since, train it again: augkit train mask --fresh",
            )
        return list(ids)

    def check(self, folders: Iterable[Path]) -> None:
        """Raises what ``anchors`` does for a stage I in any of the folders, before a worker meets it."""
        for folder in folders if self.power else ():
            self.anchors(folder, load_description(folder))

    def apply(self, sampler: MaskSource, folder: Path, about: Mapping[str, Any]) -> None:
        """Makes a loaded stage I start from harder masks more often. Raises what ``anchors`` does."""
        ids = self.anchors(folder, about)
        if ids:
            sampler.prefer([self.table[id] for id in ids], self.power)
