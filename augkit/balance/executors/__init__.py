"""Where workers run. An executor takes a job and plan rows, and yields a report or a failure for each row.

``hire`` makes a worker of a job: that of generated pairs, or another ``ShardMaker`` (of classical pairs, or a test's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from augkit.balance.plan import PlanRow
from augkit.balance.worker import Job, ShardReport, Worker
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


Hire = Callable[[Job], ShardMaker]


class Executor(Protocol):
    """A function; see the module."""

    def __call__(
        self, job: Job, rows: Sequence[PlanRow], progress: Progress, hire: Hire = Worker
    ) -> Iterator[ShardReport | Failure]:
        """See the module."""


EXECUTORS: Registry[Executor] = Registry("executor", "augkit.balance.executors")
