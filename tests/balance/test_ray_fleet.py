"""A cluster that is small, grows, loses nodes, or has one that works for nobody: every shard is made or given up."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from augkit.balance import ray_fleet
from augkit.balance.executors import Failure, ShardTask
from augkit.balance.plan import PlanRow
from augkit.balance.ray_fleet import NodeWarning, RayFleet, room
from augkit.balance.shard_job import FanOut, ShardReport
from augkit.core.errors import ConfigError, DataError, StoreError
from augkit.core.progress import silent

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::augkit.balance.ray_fleet.NodeWarning")]
MEMORY = 80_000_000


@dataclass(frozen=True)
class SmallJob:
    """What these workers need of a job: the fan-out, a folder for marks, and how long a shard takes."""

    fan_out: FanOut
    marks: Path
    seconds: float = 0.0

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In a worker: the process takes as long to start as its node's mark says."""
        self.__dict__.update(state)
        if (late := self.marks / f"late-{ray.get_runtime_context().get_node_id()}").exists():
            time.sleep(float(late.read_text()))


class Marker:
    """Leaves a mark for each shard: its node and process. Where the marks say that a node is bad, nothing works."""

    def __init__(self, job: SmallJob) -> None:
        self.job, self.node = job, ray.get_runtime_context().get_node_id()
        if (job.marks / f"closed-{self.node}").exists():
            raise DataError("no workspace on this node")

    def make(self, row: PlanRow, digest: str, progress: object) -> ShardReport:
        with (self.job.marks / row.shard).open("a") as file:
            file.write(f"{self.node} {os.getpid()}\n")
        if (mark := self.job.marks / f"bad-{self.node}").exists():
            raise {"OSError": OSError, "StoreError": StoreError}[mark.read_text()]("stale file handle")
        time.sleep(self.job.seconds)
        return ShardReport(row.shard, row.class_name, 1, 1, 1, {})


def tasks(count: int) -> list[ShardTask]:
    return [ShardTask(PlanRow(f"shard-{number}", "generated", "front-left-5", 1), "") for number in range(count)]


def marks_of(folder: Path) -> list[tuple[str, str]]:
    """Node and process of each try."""
    return [tuple(line.split()) for file in folder.glob("shard-*") for line in file.read_text().splitlines()]  # type: ignore[misc]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """A head with a core, joined; nodes are added by the tests."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as home:
        for name in [name for name in os.environ if name.startswith("RAY_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", home)
        monkeypatch.setenv("RAY_TMPDIR", home)
        monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        options = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
        made = Cluster(initialize_head=True, head_node_args=options)
        try:
            ray.init(made.address, log_to_driver=False)
            yield made
        finally:
            ray.shutdown()
            made.shutdown()


def run(fleet: RayFleet, count: int) -> list[ShardReport | Failure]:
    return list(fleet.run(tasks(count), silent))


def opened(folder: Path, workers: int = 0, threads: int = 1, seconds: float = 0.0) -> RayFleet:
    job: Any = SmallJob(FanOut(workers, threads, retries=2), folder, seconds)
    return RayFleet(ray, job, Marker)  # type: ignore[arg-type]


def shards_made(results: Sequence[ShardReport | Failure]) -> set[str]:
    return {result.shard for result in results if isinstance(result, ShardReport)}


def test_a_cluster_smaller_than_asked_does_what_it_can_and_keeps_its_workers(cluster: Cluster, tmp_path: Path) -> None:
    fleet = opened(tmp_path, workers=5)
    assert len(shards_made(run(fleet, 4))) == len(shards_made(run(fleet, 4))) == 4
    assert len({process for _, process in marks_of(tmp_path)}) == 1  # one core, one worker, for as long as the job


def test_a_worker_that_fits_nowhere_is_told(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_fleet, "START_SECONDS", 1.0)
    with pytest.raises(ConfigError, match=r"no room for a worker(.|\n)*of 1 CPU free(.|\n)*8 CPU free on one node"):
        run(opened(tmp_path, workers=1, threads=8), 1)


def test_a_node_that_comes_late_gets_work_and_one_that_dies_loses_none(cluster: Cluster, tmp_path: Path) -> None:
    late, results = None, []
    for result in opened(tmp_path, seconds=1.0).run(tasks(30), silent):
        results.append(result)
        nodes = {node for node, _ in marks_of(tmp_path)}
        if late is None:
            late = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        elif late in cluster.worker_nodes and len(nodes) > 1:
            cluster.remove_node(late, allow_graceful=False)
    assert len(results) == len(shards_made(results)) == 30
    assert len({node for node, _ in marks_of(tmp_path)}) == 2 and late not in cluster.worker_nodes


@pytest.mark.parametrize("error", ["OSError", "StoreError"])
def test_a_node_where_nothing_works_is_avoided_and_named(error: str, cluster: Cluster, tmp_path: Path) -> None:
    other = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    cluster.wait_for_nodes()
    (tmp_path / f"bad-{other.node_id}").write_text(error)
    fleet = opened(tmp_path, seconds=0.5)
    assert room(ray, fleet.fan_out) == 2
    with pytest.warns(NodeWarning, match=rf"node .*{other.node_id[:8]}.* failed 3 shards.*stale file handle"):
        results = run(fleet, 40)
    assert len(shards_made(results)) == 40
    assert sum(node == other.node_id for node, _ in marks_of(tmp_path)) == 3


def test_a_node_that_fails_all_waits_for_others_that_come_up(cluster: Cluster, tmp_path: Path) -> None:
    head = cluster.head_node
    other = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    cluster.wait_for_nodes()
    (tmp_path / f"bad-{other.node_id}").write_text("OSError")
    (tmp_path / f"late-{head.node_id}").write_text("4")
    assert len(shards_made(run(opened(tmp_path), 10))) == 10
    assert sum(node == other.node_id for node, _ in marks_of(tmp_path)) == 3


def test_a_node_without_the_workspace_is_left_out(cluster: Cluster, tmp_path: Path) -> None:
    other = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
    cluster.wait_for_nodes()
    (tmp_path / f"closed-{other.node_id}").touch()
    fleet = opened(tmp_path, seconds=1.0)
    with pytest.warns(NodeWarning, match=rf"no worker on node .*{other.node_id[:8]}.*no workspace"):
        assert len(shards_made(run(fleet, 20))) == 20


def test_faults_that_all_nodes_meet_end_the_run(cluster: Cluster, tmp_path: Path) -> None:
    (node,) = (node["NodeID"] for node in ray.nodes())
    (tmp_path / f"bad-{node}").write_text("OSError")
    with pytest.raises(OSError, match="stale file handle"):
        run(opened(tmp_path), 2)
    (tmp_path / f"closed-{node}").touch()
    with pytest.raises(DataError, match="no workspace"):
        run(opened(tmp_path), 2)
