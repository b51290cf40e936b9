"""What holds for every executor: the same bytes, and an end whatever a shard does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from augkit.balance.cluster import own_cluster
from augkit.balance.executors import EXECUTORS, Failure, ShardTask
from augkit.balance.executors.local import local_fleet
from augkit.balance.executors.ray import ray_fleet
from augkit.balance.plan import PlanRow
from augkit.balance.shard_job import ShardReport
from augkit.balance.worker import Worker
from augkit.core.errors import CheckpointError
from augkit.core.progress import Progress, silent
from augkit.core.storage import open_storage
from augkit.core.workspace import Workspace
from augkit.settings import Settings
from augkit.shards.verify import verify
from tests.balance.conftest import digests, job_of, run_job

BAD, SHAKY = "shard-000004", "shard-000005"


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """One small session for all tests."""
    with own_cluster(2):
        yield


class Unlucky(Worker):
    """Cannot make one shard, and another one at the first attempt only; leaves a mark each time that it tries."""

    def make(self, row: PlanRow, digest: str, progress: Progress) -> ShardReport:
        tried = self.job.workspace.root / row.shard
        with tried.open("a") as file:
            file.write("x")
        if row.shard == BAD:
            self.fail()
        if row.shard == SHAKY and tried.read_text() == "x":
            raise ArithmeticError("out of luck, once")
        return super().make(row, digest, progress)

    def fail(self) -> None:
        raise ArithmeticError("out of luck")


class Deadly(Unlucky):
    """Takes its process with it."""

    def fail(self) -> None:
        os._exit(7)


def with_workers(settings: Settings, workers: int) -> Settings:
    balance = settings.balance.model_copy(update={"workers": workers})
    return settings.model_copy(update={"balance": balance})


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize(("executor", "workers"), [*((name, 2) for name in EXECUTORS), ("ray", 1)])
def test_every_executor_and_number_of_workers_gives_the_same_bytes(
    executor: str, workers: int, trained: Workspace, balanced_workspace: Workspace, settings: Settings
) -> None:
    shown: dict[str, tuple[int, int]] = {}

    def progress(name: str, done: int, total: int) -> None:
        shown[name] = (done, total)

    job = job_of(trained, with_workers(settings, workers), executor=executor)
    outcome = job.generate(progress)
    assert digests(trained) == digests(balanced_workspace)
    assert outcome.generated_now == 7 and not outcome.failures and not outcome.short
    assert shown == {"front-left-5": (3, 3), "back-right-3": (4, 4)}


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize(
    ("executor", "worker", "error"),
    [
        (local_fleet, Unlucky, "ArithmeticError('out of luck')"),
        pytest.param(ray_fleet, Unlucky, "ArithmeticError('out of luck')", marks=pytest.mark.slow),
        (ray_fleet, Deadly, "its worker process died"),
    ],
)
def test_a_shard_that_fails_is_retried_a_bounded_number_of_times(
    executor: object,
    worker: type[Worker],
    error: str,
    *,
    trained: Workspace,
    balanced_workspace: Workspace,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(EXECUTORS._entries, "local", executor)  # type: ignore[arg-type]
        patch.setattr("augkit.balance.job.Worker", worker)
        outcome = run_job(trained, settings)
    tries = {path.name: len(path.read_text()) for path in trained.root.glob("shard-*")}
    assert tries.pop(BAD) == settings.balance.retries + 1
    assert tries.pop(SHAKY) == 2
    assert set(tries.values()) == {1}
    assert [(f.shard, f.class_name) for f in outcome.failures] == [(BAD, "front-left-5")]
    assert error in outcome.failures[0].error
    assert outcome.accepted == {"": 16, "back-right-3": 4}  # the other shards land
    assert verify(open_storage(trained.shards)) == []
    whole = digests(balanced_workspace)
    assert {n: d for n, d in digests(trained).items() if n.endswith(".tar")} == {
        n: d for n, d in whole.items() if n.endswith(".tar") and BAD not in n
    }


@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize("executor", list(EXECUTORS))
def test_faults_of_the_data_stop_the_run_at_once(executor: str, trained: Workspace, settings: Settings) -> None:
    path = trained.model("mask", "all") / "model.safetensors"
    path.write_bytes(b"not a model")
    with pytest.raises(CheckpointError, match=str(path)) as caught:
        run_job(trained, settings, executor=executor)
    assert "train again" in caught.value.remedy


def test_an_executor_yields_one_result_a_row(trained: Workspace, settings: Settings) -> None:
    job = job_of(trained, settings)
    with local_fleet(job.shard_job(), Worker) as fleet:
        results = list(fleet([ShardTask(row, "") for row in job.plan.rows], silent))
    assert not any(isinstance(result, Failure) for result in results)
    assert [result.shard for result in results] == [row.shard for row in job.plan.rows]


def test_the_paths_of_a_job_are_absolute(
    trained: Workspace, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray's processes have folders of their own."""
    monkeypatch.chdir(trained.root.parent)
    job = job_of(Workspace(Path(trained.root.name)), settings)
    work = job.shard_job()
    assert Path(work.location).is_absolute() and work.workspace.root.is_absolute()
    assert all(models.mask.is_absolute() and models.image.is_absolute() for models in work.models.values())
