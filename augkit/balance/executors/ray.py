"""On Ray: a laptop's cores, or a cluster (``RAY_ADDRESS``)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from augkit.balance.cluster import LOGS, ClusterLogs, cluster
from augkit.balance.executors import EXECUTORS, Failure, WorkerFactory
from augkit.balance.plan import PlanRow
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.errors import AugkitError
from augkit.core.progress import Progress, silent


class _Actor:
    """A worker in a process of its own."""

    def __init__(self, job: Job, worker_of: WorkerFactory) -> None:
        self.worker = worker_of(job)

    def make(self, row: PlanRow) -> ShardReport:
        return self.worker.make(row, silent)


@dataclass
class _Queue:
    """Rows left to do, and how often each was tried."""

    rows: deque[PlanRow]
    attempts: int
    tried: dict[str, int] = field(default_factory=dict)

    def failed(self, row: PlanRow, error: str) -> Failure | None:
        """Puts the row back, or gives it up."""
        self.tried[row.shard] = self.tried.get(row.shard, 0) + 1
        if self.tried[row.shard] >= self.attempts:
            return Failure(row.shard, row.class_name, error)
        self.rows.append(row)
        return None


@EXECUTORS.register("ray")
def run_ray(
    job: Job, rows: Sequence[PlanRow], progress: Progress, worker_of: WorkerFactory
) -> Iterator[ShardReport | Failure]:
    """One actor a worker; each holds its models. A shard whose process dies is retried a bounded number of times.

    Ray's own retries are off: they are endless by default, and a shard that kills its worker would never end. Where
    something failed, Ray's logs are in ``WORKSPACE/reports/ray-logs`` afterwards.
    """
    logs = ClusterLogs(job.workspace.reports / LOGS)
    with cluster(job.fan_out.workers * job.fan_out.threads, logs) as ray:
        for result in _fan_out(ray, job, rows, progress, worker_of):
            if isinstance(result, Failure):
                logs.wanted = True
                result = replace(result, error=result.error + logs.said)  # noqa: PLW2901
            yield result


def _fan_out(
    ray: Any, job: Job, rows: Sequence[PlanRow], progress: Progress, worker_of: WorkerFactory
) -> Iterator[ShardReport | Failure]:
    fan_out = job.fan_out
    remote = ray.remote(num_cpus=fan_out.threads, max_restarts=0, max_task_retries=0)(_Actor)
    shared = ray.put(job)
    queue = _Queue(deque(rows), fan_out.retries + 1)
    idle = [remote.remote(shared, worker_of) for _ in range(min(fan_out.workers, len(rows)))]
    running: dict[Any, tuple[Any, PlanRow]] = {}
    while queue.rows or running:
        while queue.rows and idle:
            actor, row = idle.pop(), queue.rows.popleft()
            running[actor.make.remote(row)] = (actor, row)
        [done], _ = ray.wait(list(running), num_returns=1)
        actor, row = running.pop(done)
        try:
            report = ray.get(done)
            idle.append(actor)
            progress(row.shard, report.accepted, row.want)
            yield report
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, AugkitError | OSError):  # a fault of the data or the disk: it meets every shard
                raise error.cause from None
            idle.append(actor)
            if failure := queue.failed(row, repr(error.cause)):
                yield failure
        except ray.exceptions.RayActorError as error:
            idle.append(remote.remote(shared, worker_of))
            if failure := queue.failed(row, f"its worker process died: {str(error).strip()}"):
                yield failure
