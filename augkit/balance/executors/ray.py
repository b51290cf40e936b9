"""On Ray: a laptop's cores, or a cluster (``RAY_ADDRESS``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache

from augkit.balance.cluster import LOGS, ClusterLogs, cluster
from augkit.balance.executors import EXECUTORS, Failure, Fleet, ShardTask, WorkerFactory
from augkit.balance.ray_fleet import RayFleet
from augkit.balance.shard_job import Job, ShardReport
from augkit.core.progress import Progress


@EXECUTORS.register("ray")
@contextmanager
def ray_fleet(job: Job, worker_of: WorkerFactory) -> Iterator[Fleet]:
    """One actor a worker; see ``RayFleet``. Ray is started, or joined, with the first task.

    Where something failed, Ray's logs are in ``WORKSPACE/reports/ray-logs`` afterwards.
    """
    logs = ClusterLogs(job.workspace.reports / LOGS)
    with ExitStack() as stack:

        @cache
        def fleet() -> RayFleet:
            return RayFleet(stack.enter_context(cluster(job.fan_out.cpus, logs)), job, worker_of)

        def run(tasks: Sequence[ShardTask], progress: Progress) -> Iterator[ShardReport | Failure]:
            for result in fleet().run(tasks, progress):
                if isinstance(result, Failure):
                    logs.wanted = True
                    result = replace(result, error=result.error + logs.said)  # noqa: PLW2901
                yield result

        yield run
