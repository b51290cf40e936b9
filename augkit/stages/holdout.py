"""Training pairs that judge instead of training: a generator's best checkpoint is chosen by what it was not shown.

They come from the training split, so that validation and test rows stay unseen by whatever chooses.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from augkit.core.seeds import derive
from augkit.data.catalogue import CatalogueRow, TrainingRows

FEWEST = 4
"""A class with fewer training pairs than this keeps them all."""


@dataclass(frozen=True)
class HeldOutRows:
    """Rows of the training split that a run is judged by; none of them trains it."""

    rows: tuple[CatalogueRow, ...]


def hold_out(rows: TrainingRows, share: float, seed: int) -> tuple[TrainingRows, HeldOutRows]:
    """Deals out each class's photos: about ``share`` of them judge, the others train.

    Photos of one group stay together. The choice is a function of the seed and the groups alone.
    """
    groups: dict[str, list[CatalogueRow]] = defaultdict(list)
    for row in rows.rows:
        groups[row.group or row.sha256].append(row)
    classes: dict[str, list[str]] = defaultdict(list)
    for name, members in groups.items():
        classes[min(row.car_class for row in members).name].append(name)
    judging: set[str] = set()
    for names in classes.values():
        if len(names) >= FEWEST:
            order = sorted(names, key=lambda name: (derive(seed, "hold-out", name), name))
            judging.update(order[: max(1, round(share * len(order)))])
    kept = {row.id for name in judging for row in groups[name]}
    train = TrainingRows(tuple(row for row in rows.rows if row.id not in kept))
    return train, HeldOutRows(tuple(row for row in rows.rows if row.id in kept))
