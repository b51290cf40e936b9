"""Where workers run. An executor opens a fleet for a job: workers that live as long as it is open.

``worker_of`` makes a worker of a job: what makes generated pairs, or another ``ShardMaker``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
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


@dataclass(frozen=True)
class ShardTask:
    """A plan row to be made, and the digest that its commit record gets."""

    row: PlanRow
    digest: str

    @property
    def shard(self) -> str:
        """The name of its shard."""
        return self.row.shard

    def failure(self, error: str) -> Failure:
        """It given up."""
        return Failure(self.row.shard, self.row.class_name, error)


class ShardMaker(Protocol):
    """What makes shards, one plan row at a time."""

    def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
        """Writes and commits the row's shard; tells ``progress`` of its accepted pairs, under the shard's name."""


WorkerFactory = Callable[[Job], ShardMaker]


class Fleet(Protocol):
    """Workers that are there: a report or a failure for each task, in the order in which they end."""

    def __call__(self, tasks: Sequence[ShardTask], progress: Progress, /) -> Iterator[ShardReport | Failure]:
        """Makes the shards of the tasks."""


class Executor(Protocol):
    """A function that opens a fleet; no worker is made before its first task."""

    def __call__(self, job: Job, worker_of: WorkerFactory) -> AbstractContextManager[Fleet]:
        """See the module."""


EXECUTORS: Registry[Executor] = Registry("executor", "augkit.balance.executors")
