"""The real pairs of a comparison: those that were held out, and as many for training as the floor takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from augkit.core.classes import CarClass
from augkit.core.errors import DataError
from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.augment import Step
from augkit.data.catalogue import CatalogueRow, validation_rows
from augkit.data.dataset import PairDataset
from augkit.data.pair import Pair
from augkit.stages.checkpoint_judge import with_mirrors


def held_out_rows(rows: Sequence[CatalogueRow], fewest: int = 1) -> list[CatalogueRow]:
    """Rows of the split val: those of test are for the final evaluation. Raises DataError for fewer than asked for."""
    held = validation_rows(rows)
    if len(held) < fewest:
        raise DataError(
            f"{len(held) or 'no'} held-out pairs to compare with", f"at least {fewest} of the split val",
            "import with a larger data.val_share, or more photos",
        )  # fmt: skip
    return held


def real_pairs(
    workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, size: int, last: Sequence[Step] = ()
) -> list[Pair]:
    """The rows' pairs and their mirror images, after the ``last`` steps."""
    return with_mirrors(PairDataset(workspace, rows, schema, size, last=last))


def in_shares(classes: Sequence[CarClass], wanted: Mapping[CarClass, int]) -> list[int]:
    """Places among ``classes`` in the shares of the ``wanted`` ones: as many times these as there are for all of them,
    and what there is where that is not even once."""
    places = {c: [place for place, own in enumerate(classes) if own == c] for c in wanted}
    times = max(1, min((len(places[c]) // count for c, count in wanted.items() if places[c]), default=1))
    return [place for c, count in wanted.items() for place in places[c][: times * count]]
