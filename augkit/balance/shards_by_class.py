"""From shards to classes: workers tell how far their shard is, people want to know how far a class is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from augkit.balance.plan import PlanRow
from augkit.core.progress import Progress


class ShardsByClass:
    """A ``Progress`` for shards, by their names, that tells another one of their classes.

    A shard that is tried again begins anew. A class's total is what its shards of earlier rounds came to and what
    those of this round want. Copies of real pairs have no class, and are not told of.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._classes: dict[str, str] = {}
        self._done: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()
        self._totals: Counter[str] = Counter()

    def begin(self, rows: Iterable[PlanRow]) -> None:
        """The next round's shards."""
        self._totals = self._accepted.copy()
        for row in rows:
            if row.class_name:
                self._classes[row.shard] = row.class_name
                self._totals[row.class_name] += row.want

    def __call__(self, name: str, done: int, total: int, /) -> None:
        """A shard's accepted pairs."""
        del total
        if name in self._classes:
            class_name = self._classes[name]
            self._accepted[class_name] += done - self._done[name]
            self._done[name] = done
            self._progress(class_name, self._accepted[class_name], self._totals[class_name])
