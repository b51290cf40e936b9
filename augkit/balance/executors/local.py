"""In this process, one shard after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from augkit.balance.executors import EXECUTORS, Failure, ShardMaker, WorkerFactory
from augkit.balance.plan import PlanRow
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.errors import AugkitError
from augkit.core.progress import Progress


@EXECUTORS.register("local")
def run_local(
    job: Job, rows: Sequence[PlanRow], progress: Progress, worker_of: WorkerFactory
) -> Iterator[ShardReport | Failure]:
    """A shard that raises is tried again; after ``retries`` more attempts it is given up.

    Faults of the user's data or settings stop the whole run: they would meet every shard.
    """
    worker = worker_of(job)
    for row in rows:
        yield _attempt(worker, row, progress, job.fan_out.retries + 1)


def _attempt(worker: ShardMaker, row: PlanRow, progress: Progress, attempts: int) -> ShardReport | Failure:
    error = ""
    for _ in range(attempts):
        try:
            return worker.make(row, progress)
        except (AugkitError, OSError):
            raise
        except Exception as unexpected:  # whatever went wrong in this shard must not take the others with it
            error = repr(unexpected)
    return Failure(row.shard, row.class_name, error)
