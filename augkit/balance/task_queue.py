"""What is left to do, and which nodes fail at it: the bookkeeping of a fleet on several nodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from augkit.balance.executors import Failure, ShardTask


class TaskQueue:
    """Tasks left to do. One that failed goes to another node where there is one, and is given up after its attempts."""

    def __init__(self, tasks: Iterable[ShardTask], attempts: int) -> None:
        self.attempts = attempts
        self._tasks = deque(tasks)
        self._tried: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self, node: str, nodes: Collection[str]) -> ShardTask | None:
        """The first task for a worker on ``node``; None where the rest has failed there, and not on all ``nodes``."""
        for place, task in enumerate(self._tasks):
            failed = set(self._tried.get(task.shard, ()))
            if node not in failed or failed >= set(nodes):
                del self._tasks[place]
                return task
        return None

    def failed(self, task: ShardTask, node: str, error: str) -> Failure | None:
        """Puts the task back, or gives it up."""
        self._tried.setdefault(task.shard, []).append(node)
        if len(self._tried[task.shard]) >= self.attempts:
            return task.failure(error)
        self._tasks.append(task)
        return None


@dataclass
class NodeHealth:
    """Nodes by the shards that they failed one after the other, and those that are avoided for it."""

    bound: int = 3
    avoided: dict[str, str] = field(default_factory=dict)
    """The last error of each."""
    _failed: dict[str, dict[str, str]] = field(default_factory=dict)

    def did_well(self, node: str) -> None:
        """It made a shard."""
        self._failed.pop(node, None)

    def did_fail(self, node: str, shard: str, error: str) -> None:
        """It did not make a shard."""
        self._failed.setdefault(node, {})[shard] = error

    def doubted(self, node: str) -> bool:
        """Whether it failed ``bound`` shards in a row."""
        return len(self._failed.get(node, ())) >= self.bound

    def avoid(self, nodes: Collection[str]) -> list[str]:
        """The nodes that are avoided from now on: those that are doubted, where there are others among ``nodes``."""
        chosen = []
        for node in self._failed:
            if self.doubted(node) and node not in self.avoided and set(nodes) - self.avoided.keys() - {node}:
                self.avoided[node] = list(self._failed[node].values())[-1]
                chosen.append(node)
        return chosen
