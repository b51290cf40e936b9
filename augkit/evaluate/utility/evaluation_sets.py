"""What all segmenters of a comparison are held against."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue, usable
from augkit.evaluate.utility.figures import UtilityMeasure
from augkit.evaluate.utility.held_out import CHOOSING, SPLITS, HeldOut, held_out, none_held_out
from augkit.evaluate.utility.tail import Tail, tail_of
from augkit.stages.catalogue_pairs import CataloguePairs
from augkit.stages.training_mix import training_mix


@dataclass(frozen=True)
class EvaluationSets:
    """The photos of the verdict, those that choose between arms and settings, and the tail, which is named before
    anything is trained."""

    held: HeldOut
    choosing: HeldOut
    tail: Tail

    @classmethod
    def of(cls, workspace: Workspace, size: int) -> EvaluationSets:
        """From the real pairs in the shards: the splits test (else val) and val (else test), and the tail of the
        training pairs. Raises ShardError and DataError as ``held_out`` does."""
        held = held_out(workspace, size)
        choosing = held if held.split == CHOOSING else held_out(workspace, size, SPLITS[::-1])
        return cls(held, choosing, tail_of(training_mix(workspace, "real")))

    @classmethod
    def of_catalogue(cls, workspace: Workspace, size: int) -> EvaluationSets:
        """The same from the catalogue, where no shards are needed. Raises DataError for no held-out photos."""
        rows, schema = usable(read_catalogue(workspace.require_catalogue())), PartSchema.load(workspace.schema)
        pairs = {split: CataloguePairs(workspace, [r for r in rows if r.split == split], schema) for split in SPLITS}
        there = [HeldOut.of(pairs[split].summed(), split, size) for split in SPLITS if len(pairs[split])]
        if not there:
            raise none_held_out(SPLITS, "the catalogue")
        real = CataloguePairs(workspace, TrainingRows.of(rows).rows, schema)
        return cls(there[0], there[-1], tail_of(real))

    @property
    def apart(self) -> bool:
        """Whether what chooses is not what is measured on."""
        return self.held.split != CHOOSING and self.choosing.split == CHOOSING

    @cached_property
    def ruler(self) -> UtilityMeasure:
        """Measures on the photos of the verdict."""
        return UtilityMeasure(self.held, self.tail)

    @cached_property
    def judge(self) -> UtilityMeasure:
        """Measures on those that choose."""
        return UtilityMeasure(self.choosing, self.tail, draws=1)
