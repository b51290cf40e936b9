"""A workspace that is a bucket: nodes share nothing else, and the bytes are those of a folder."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from augkit.core.object_store import FsspecStorage
from augkit.core.remote_workspace import remote_workspaces, workspace_at
from augkit.core.workspace import Workspace
from augkit.settings import Settings
from augkit.shards.commit_records import CommitRecords
from augkit.shards.reader import ShardDataset
from augkit.shards.verify import verify
from tests.balance.conftest import COUNTS, digests, run_job
from tests.balance.test_interrupt import PATIENCE, SLOWLY, wait_for

ONLY = [option for name in COUNTS for option in ("--only", name)]
Command = Callable[..., tuple[int, str, str]]


def put(workspace: Workspace, url: str) -> FsspecStorage:
    """A copy of a workspace at a URL."""
    store = FsspecStorage(url)
    for path in sorted(path for path in workspace.root.rglob("*") if path.is_file()):
        store.put(path.relative_to(workspace.root).as_posix(), path.read_bytes())
    return store


def digests_at(url: str) -> dict[str, str]:
    """sha256 of every file of the shards, by name."""
    store = FsspecStorage(url)
    return {name: hashlib.sha256(store.read(name)).hexdigest() for name in store.names()}


def test_the_bytes_are_those_of_a_folder(
    bucket: str, trained_workspace: Workspace, balanced_workspace: Workspace, settings: Settings
) -> None:
    store = put(trained_workspace, f"{bucket}/ws")
    with remote_workspaces():
        run_job(workspace_at(store.url), settings)
    assert digests_at(f"{store.url}/shards") == digests(balanced_workspace)
    assert len(ShardDataset(f"{store.url}/shards")) == len(ShardDataset(balanced_workspace.shards))
    assert not [name for name in store.names() if name.endswith(".lock")]


def test_verbs_read_it_and_put_back_what_they_write(
    bucket: str, balanced_workspace: Workspace, augkit: Command, tmp_path: Path
) -> None:
    store = put(balanced_workspace, f"{bucket}/ws")
    words = ["verify"], ["view"], ["classes"], ["export", "semantic", tmp_path / "out"], ["balance", "--dry-run", *ONLY]
    for verb in words:
        code, said, errors = augkit(*verb, "-w", store.url, "--json")
        assert code == 0, errors
        assert json.loads(said) and str(tmp_path / "cache") not in said
    assert store.exists("reports/parts.png")
    assert digests_at(f"{store.url}/shards") == digests(balanced_workspace)
    assert augkit("verify", "-w", f"{bucket}/other")[0] == 3


@pytest.mark.slow
def test_other_verbs_read_it_and_put_back_what_they_write(bucket: str, augkit: Command, tmp_path: Path) -> None:
    url = f"{bucket}/cars"
    small = [option for setting in ("data.size=64", "mask.steps=2") for option in ("--set", setting)]
    assert augkit("render", "--count", 16, "-w", url, "-c", "smoke", *small)[0] == 0
    store = FsspecStorage(url)
    assert store.exists("catalogue.parquet") and store.files("pairs")
    assert augkit("train", "mask", "-w", url)[0] == 0
    assert store.exists("models/mask/all/config.json") and store.exists("models/mask/all/checkpoint.safetensors")
    code, said, _ = augkit("audit", "-w", url, "--json")
    assert code == 0 and json.loads(said) and store.exists("reports/audit.json")
    assert augkit("report", "-w", url)[0] == 0 and store.exists("reports/report.html")
    assert augkit("train", "mask", "--fresh", "-w", url, "--set", "mask.steps=3")[0] == 0
    assert json.loads(store.read("models/mask/all/config.json"))["steps"] == 3


def start(node: Path, url: str, pause: float = 0.0) -> subprocess.Popen[bytes]:
    """``augkit balance`` with pauses behind shards, on a node with a home and a cache of its own."""
    node.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(node), "XDG_CACHE_HOME": str(node / "cache")}
    words = ["balance", "-w", url, "--executor", "local", *ONLY]
    code = SLOWLY.replace("1.0", str(pause))
    return subprocess.Popen(
        [sys.executable, "-c", code, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


@pytest.mark.slow
def test_a_node_goes_on_where_another_was_killed(
    bucket: str, trained_workspace: Workspace, balanced_workspace: Workspace, tmp_path: Path
) -> None:
    store = put(trained_workspace, f"{bucket}/ws")
    shards, whole = FsspecStorage(f"{store.url}/shards"), digests(balanced_workspace)
    first = start(tmp_path / "one", store.url, pause=PATIENCE)
    wait_for(lambda: len(CommitRecords(shards).there()) >= 5, first)
    second = start(tmp_path / "two", store.url)
    assert second.wait(PATIENCE) == 3 and b"is writing it" in second.communicate()[1]
    first.send_signal(signal.SIGKILL)
    first.communicate()
    made = {name for name in shards.names() if name.startswith("commits/")}
    assert 5 <= len(made) < sum(name.startswith("commits/") for name in whole)
    _, errors = (following := start(tmp_path / "two", store.url)).communicate(timeout=PATIENCE)
    assert following.returncode == 0, errors.decode()
    assert digests_at(shards.url) == whole and verify(shards) == []


@pytest.fixture
def two_nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """A Ray cluster, joined, of two nodes that have caches of their own; these."""
    import ray
    from ray.cluster_utils import Cluster

    caches = [tmp_path / "cache-one", tmp_path / "cache-two"]
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as home:
        for name in [name for name in os.environ if name.startswith("RAY_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", home)
        monkeypatch.setenv("RAY_TMPDIR", home)
        monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        made = Cluster()
        try:
            for cache in caches:
                with monkeypatch.context() as on_node:
                    on_node.setenv("XDG_CACHE_HOME", str(cache))
                    made.add_node(num_cpus=1, object_store_memory=80_000_000, include_dashboard=False)
            ray.init(made.address, log_to_driver=False)
            yield caches
        finally:
            ray.shutdown()
            made.shutdown()


@pytest.mark.slow
def test_nodes_of_a_cluster_fetch_what_they_need_for_themselves(
    bucket: str,
    trained_workspace: Workspace,
    balanced_workspace: Workspace,
    settings: Settings,
    two_nodes: list[Path],
) -> None:
    store = put(trained_workspace, f"{bucket}/ws")
    with remote_workspaces():
        run_job(workspace_at(store.url), settings, executor="ray")
    assert digests_at(f"{store.url}/shards") == digests(balanced_workspace)
    for cache in two_nodes:
        assert {path.name for path in cache.rglob("*.safetensors")} == {"model.safetensors"}
