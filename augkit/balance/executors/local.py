"""In this process, one shard after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from augkit.balance.executors import EXECUTORS, Failure, Fleet, ShardMaker, ShardTask, WorkerFactory
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.errors import AugkitError
from augkit.core.progress import Progress


@EXECUTORS.register("local")
@contextmanager
def local_fleet(job: Job, worker_of: WorkerFactory) -> Iterator[Fleet]:
    """One worker. A shard that raises is tried again; after ``retries`` more attempts it is given up.

    Faults of the user's data or settings stop the whole run: they would meet every shard.
    """

    @cache
    def worker() -> ShardMaker:
        return worker_of(job)

    def run(tasks: Sequence[ShardTask], progress: Progress) -> Iterator[ShardReport | Failure]:
        for task in tasks:
            yield _attempt(worker(), task, progress, job.fan_out.retries + 1)

    yield run


def _attempt(worker: ShardMaker, task: ShardTask, progress: Progress, attempts: int) -> ShardReport | Failure:
    error = ""
    for _ in range(attempts):
        try:
            return worker.make(task.row, task.digest, progress)
        except (AugkitError, OSError):
            raise
        except Exception as unexpected:  # whatever went wrong in this shard must not take the others with it
            error = repr(unexpected)
    return task.failure(error)
