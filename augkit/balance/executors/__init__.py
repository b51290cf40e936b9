"""Where workers run. An executor takes a job and plan rows, and yields a report or a failure for each row.

``worker_of`` makes a worker of a job: what makes generated pairs, or another ``ShardMaker``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from augkit.balance.plan import PlanRow
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.progress import Progress
from augkit.core.registry import Registry


@dataclass(frozen=True)
class Failure:
    """A plan row that was given up after its attempts."""

    shard: str
    class_name: str
    error: str


class ShardMaker(Protocol):
    """What makes shards, one plan row at a time."""

    def make(self, row: PlanRow, progress: Progress) -> ShardReport:
        """Writes and commits the row's shard; tells ``progress`` of its accepted pairs, under the shard's name."""


WorkerFactory = Callable[[Job], ShardMaker]


class Executor(Protocol):
    """A function; see the module."""

    def __call__(
        self, job: Job, rows: Sequence[PlanRow], progress: Progress, worker_of: WorkerFactory
    ) -> Iterator[ShardReport | Failure]:
        """See the module."""


EXECUTORS: Registry[Executor] = Registry("executor", "augkit.balance.executors")
