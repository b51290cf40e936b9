"""Workers as actors of a Ray cluster, which pull tasks as soon as they are up."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from augkit.balance.executors import Failure, ShardTask, WorkerFactory
from augkit.balance.shard_job import FanOut, Job, ShardReport
from augkit.balance.task_queue import NodeHealth, TaskQueue
from augkit.core.errors import AugkitError, ConfigError, StoreError
from augkit.core.progress import Progress, silent

START_SECONDS = 30.0
"""How long a cluster without room may take to make some before it is given up."""


class NodeWarning(UserWarning):
    """A node that shards are not given to any more."""


class _Actor:
    """A worker in a process of its own. It is made by ``open``, so that a node where that fails can be named."""

    def __init__(self, job: Job, worker_of: WorkerFactory) -> None:
        self.job, self.worker_of = job, worker_of

    def open(self) -> None:
        self.worker = self.worker_of(self.job)

    def node(self) -> str:
        ray: Any = import_module("ray")
        here = ray.get_runtime_context().get_node_id()
        address = next(node["NodeManagerAddress"] for node in ray.nodes() if node["NodeID"] == here)
        return f"{address} ({here[:8]})"

    def make(self, task: ShardTask) -> ShardReport:
        return self.worker.make(task.row, task.digest, silent)


@dataclass(frozen=True)
class _Member:
    """An actor that is up, and its node."""

    actor: Any
    node: str


class RayFleet:
    """The workers of one job, for as long as it lasts.

    Tasks are given to actors that are up alone, so that a cluster with less room than was asked for does what it can,
    and one that grows does more. A shard whose process dies is tried again a bounded number of times (Ray's own retries
    are endless by default, and a shard that kills its worker would never end), elsewhere where there is elsewhere.
    """

    def __init__(self, ray: Any, job: Job, worker_of: WorkerFactory) -> None:
        self.ray, self.fan_out = ray, job.fan_out
        threads, gpus = job.fan_out.threads, job.fan_out.gpus
        self._remote = ray.remote(num_cpus=threads, num_gpus=gpus, max_restarts=0, max_task_retries=0)(_Actor)
        self._arguments = ray.put(job), worker_of
        self._health = NodeHealth()
        self._starting: dict[Any, Any] = {}  # what tells an actor's node: the actor
        self._opening: dict[Any, _Member] = {}
        self._idle: list[_Member] = []
        self._running: dict[Any, tuple[_Member, ShardTask]] = {}
        self._lost = 0  # actors that are not replaced, since their node is no good
        self._held_since: dict[str, float] = {}
        self._fault: BaseException | None = None  # of the last one that did not open

    def run(self, tasks: Sequence[ShardTask], progress: Progress) -> Iterator[ShardReport | Failure]:
        """A result a task. Raises what faults of the data raise, and ConfigError where no actor can start."""
        queue = TaskQueue(tasks, self.fan_out.retries + 1)
        self._patience = _Patience(self.ray, self.fan_out)
        while queue or self._running:
            self._grow(len(queue))
            self._assign(queue)
            for done in self._wait():
                if done in self._running:
                    yield from self._ended(done, queue, progress)
                else:
                    self._came_up(done)
        self._leave_unopened()

    @property
    def _nodes(self) -> set[str]:
        busy = [member for member, _ in self._running.values()]
        return {member.node for member in (*self._idle, *busy, *self._opening.values())}

    def _grow(self, waiting: int) -> None:
        """Asks for as many actors as there are tasks, up to the limit. Without one: as many as the cluster has room
        for, and one more, which lets a cluster that scales itself grow."""
        there = len(self._starting) + len(self._opening) + len(self._idle) + len(self._running)
        limit = self.fan_out.workers or room(self.ray, self.fan_out) + 1
        wanted = min(limit - self._lost, waiting + len(self._running))
        for _ in range(wanted - there):
            actor = self._remote.remote(*self._arguments)
            self._starting[actor.node.remote()] = actor
        if not there and wanted <= 0 and waiting:
            raise self._fault or ConfigError("no node is left that makes shards", "one", "see the errors above")

    def _assign(self, queue: TaskQueue) -> None:
        self._avoid()
        for member in list(self._idle):
            if not self._held(member.node) and (task := queue.take(member.node, self._nodes)):
                self._idle.remove(member)
                self._running[member.actor.make.remote(task)] = member, task

    def _wait(self) -> list[Any]:
        """What has ended within a second."""
        pending = [*self._running, *self._opening, *self._starting]
        done, _ = self.ray.wait(pending, num_returns=1, timeout=1.0) if pending else ([], [])
        if self._running or self._opening or self._idle or done:
            self._patience.renew()
        else:
            self._patience.check(self._starting.values())
        return list(done)

    def _came_up(self, done: Any) -> None:
        """An actor has said where it is, or has made its worker."""
        actor = self._starting.pop(done, None)
        member = self._opening.pop(done, None)
        try:
            said = self.ray.get(done)
        except (self.ray.exceptions.RayTaskError, self.ray.exceptions.RayActorError) as error:
            self._did_not_open(member, error)
            return
        if member is not None:
            self._idle.append(member)
        elif said in self._health.avoided:
            self._dismiss(actor)
        else:
            self._opening[actor.open.remote()] = _Member(actor, said)

    def _did_not_open(self, member: _Member | None, error: Any) -> None:
        """It is not replaced: it would not open the next time either, and there may be others."""
        cause = getattr(error, "cause", None)
        self._fault = cause if isinstance(cause, AugkitError | OSError) else ConfigError(
            f"a worker could not be started: {str(error).strip()}", "a process that loads the models"
        )  # fmt: skip
        self._lost += 1
        if member is not None:
            self.ray.kill(member.actor)
            warnings.warn(f"no worker on node {member.node}: {self._fault}", NodeWarning, stacklevel=2)

    def _ended(self, done: Any, queue: TaskQueue, progress: Progress) -> Iterator[ShardReport | Failure]:
        member, task = self._running.pop(done)
        failure: Failure | None = None
        try:
            report: ShardReport = self.ray.get(done)
        except self.ray.exceptions.RayTaskError as error:
            of_node = isinstance(error.cause, OSError | StoreError)  # its disk, or its way to the store
            if isinstance(error.cause, AugkitError) and not of_node:  # a fault of the data: it meets every shard
                raise error.cause from None
            self._idle.append(member)
            failure = self._failed(member, task, queue, repr(error.cause))
            if failure and of_node:
                raise error.cause from None
        except self.ray.exceptions.RayActorError as error:
            failure = self._failed(member, task, queue, f"its worker process died: {str(error).strip()}")
        else:
            self._health.did_well(member.node)
            self._idle.append(member)
            progress(task.shard, report.accepted, task.row.want)
            yield report
        if failure:
            yield failure

    def _failed(self, member: _Member, task: ShardTask, queue: TaskQueue, error: str) -> Failure | None:
        self._health.did_fail(member.node, task.shard, error)
        return queue.failed(task, member.node, f"{error} (on node {member.node})")

    def _avoid(self) -> None:
        """Lets go of the idle workers of nodes that get no more, and says so once a node."""
        for node in self._health.avoid(self._nodes):
            error = self._health.avoided[node]
            warnings.warn(f"node {node} failed {self._health.bound} shards in a row and gets no more: {error}",
                          NodeWarning, stacklevel=2)  # fmt: skip
        for member in [member for member in self._idle if member.node in self._health.avoided]:
            self._idle.remove(member)
            self._dismiss(member.actor)

    def _held(self, node: str) -> bool:
        """Whether a node that fails waits for others that come up: alone, it would use up the attempts of all shards.
        Not for long, since they may not come up."""
        if not self._health.doubted(node):
            self._held_since.pop(node, None)
            return False
        since = self._held_since.setdefault(node, time.monotonic())
        coming = self._opening or any(map(has_process, self._starting.values()))
        return bool(coming) and time.monotonic() - since < START_SECONDS

    def _dismiss(self, actor: Any) -> None:
        self.ray.kill(actor)
        self._lost += 1

    def _leave_unopened(self) -> None:
        """Takes back what was asked for and is not needed: the cluster's room is for others."""
        for actor in [*self._starting.values(), *(member.actor for member in self._opening.values())]:
            self.ray.kill(actor)
        self._starting.clear()
        self._opening.clear()


class _Patience:
    """How long a cluster may leave the workers without a single place."""

    def __init__(self, ray: Any, fan_out: FanOut) -> None:
        self.ray, self.fan_out = ray, fan_out
        self._since, self._had_room = time.monotonic(), self._enough(ray.available_resources())

    def renew(self) -> None:
        """Something is up."""
        self._since, self._had_room = time.monotonic(), True

    def check(self, actors: Iterable[Any]) -> None:
        """Raises ConfigError where nothing has come up for too long; an actor with a process has ten times as long."""
        free = self.ray.available_resources()
        self._had_room = self._had_room or self._enough(free) or any(map(has_process, actors))
        waited, starting = time.monotonic() - self._since, self._had_room and room(self.ray, self.fan_out) > 0
        if waited < START_SECONDS * (10 if starting else 1):
            return
        there = self.ray.cluster_resources()
        asked = ", ".join(f"{number:g} {name}" for name, number in self.fan_out.needs.items())
        has = ", ".join(f"{free.get(name, 0):g} of {there.get(name, 0):g} {name} free" for name in self.fan_out.needs)
        raise ConfigError(
            f"the Ray cluster has had no room for a worker for {waited:.0f} s: {has}",
            f"{asked} free on one node",
            "wait for what runs there, add nodes, or ask for less: balance.threads, balance.gpus_per_worker",
        )

    def _enough(self, free: Mapping[str, float]) -> bool:
        return all(free.get(name, 0) >= number for name, number in self.fan_out.needs.items())


def has_process(actor: Any) -> bool:
    """Whether Ray has found a place for an actor and starts it there; where it does not say, it is taken to."""
    try:
        return bool(import_module("ray._private.state").actors(actor._actor_id.hex()).get("Pid", 1))
    except (ImportError, AttributeError):  # private, and so without a promise
        return True


def room(ray: Any, fan_out: FanOut) -> int:
    """Workers that the nodes which are up can hold, if nothing else runs there."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return sum(int(min(has.get(name, 0) / number for name, number in fan_out.needs.items())) for has in nodes)
