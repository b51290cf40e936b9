"""Where workers run. An executor takes a job and plan rows, and yields a report or a failure for each row.

Both take ``hire`` besides, which makes a worker of a job: another one than ``Worker`` may stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from augkit.balance.plan import PlanRow
from augkit.balance.worker import Job, Progress, ShardReport, Worker
from augkit.registry import Registry


@dataclass(frozen=True)
class Failure:
    """A plan row that was given up after its attempts."""

    shard: str
    class_name: str
    error: str


Hire = Callable[[Job], Worker]
Executor = Callable[[Job, Sequence[PlanRow], Progress], Iterator[ShardReport | Failure]]

EXECUTORS: Registry[Executor] = Registry("executor", "augkit.balance.executors")
