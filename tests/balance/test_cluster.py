"""A run's own cluster keeps to itself, whatever Ray there is beside it; one that RAY_ADDRESS names is joined."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray

from augkit.balance.cluster import ClusterLogs, _private_folder, cluster, own_cluster
from augkit.core.errors import ConfigError

PROBE = r"""
import json, os, socket, stat, subprocess, sys
from pathlib import Path
from types import SimpleNamespace
import psutil
from augkit.balance.executors.ray import ray_fleet
from augkit.balance.shard_job import FanOut
from augkit.balance.executors import ShardTask
from augkit.balance.plan import PlanRow
from augkit.core.progress import silent

class Witness:
    def __init__(self, job):
        pass

    def make(self, row, digest, progress):
        import ray
        here = ray.get_runtime_context()
        return SimpleNamespace(accepted=1, address=here.gcs_address)

CALL = (
    "import socket, sys; socket.setdefaulttimeout(3)\n"
    "for word in sys.argv[1:]:\n"
    "    host, port = word.rsplit(':', 1)\n"
    "    try: socket.create_connection((host, int(port))).close(); print(word)\n"
    "    except OSError: pass\n"
)

def listening():
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        yield from (c.laddr for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN)

def reached(places):
    # From other addresses of this machine, or from the network namespace that is named.
    inside = ["ip", "netns", "exec", os.environ["PROBE_NAMESPACE"]] if "PROBE_NAMESPACE" in os.environ else []
    own = [a.address for of in psutil.net_if_addrs().values() for a in of if a.family == socket.AF_INET]
    hosts = ["127.0.0.2", *(address for address in own if not address.startswith("127."))]
    words = [f"{host}:{place.port}" for host in hosts for place in places]
    return subprocess.run([*inside, sys.executable, "-c", CALL, *words], capture_output=True, text=True).stdout.split()

def run():
    fan_out = FanOut(workers=1, threads=2, retries=0)
    job = SimpleNamespace(fan_out=fan_out, workspace=SimpleNamespace(reports=Path("reports")))
    with ray_fleet(job, Witness) as fleet:
        (report,) = fleet([ShardTask(PlanRow("", "generated", "", 1), "")], silent)
        places = set(listening())
        token = Path(os.environ.get("RAY_AUTH_TOKEN_PATH", "/none/none"))
        facts = {
            "address": report.address, "listening": sorted({place.ip for place in places}), "reached": reached(places),
            "token": stat.S_IMODE(token.stat().st_mode) if token.exists() else 0,
            "mode": os.environ.get("RAY_AUTH_MODE"),
        }
    return {**facts, "left": token.parent.exists(), "variables": [n for n in os.environ if n in SECRETS]}

SECRETS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER")
runs = [run()]
for address in sys.argv[1:]:
    os.environ["RAY_ADDRESS"] = address
    runs.append(run())
print(json.dumps(runs))
"""


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home and a folder for Ray that are not this machine's; short, since Ray puts sockets there."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        for name in [name for name in os.environ if name.startswith("RAY_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", folder)
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def head(apart: Path) -> Iterator[str]:
    """The address of a cluster that somebody else started here."""
    with started(apart) as address:
        yield address


@contextmanager
def started(apart: Path) -> Iterator[str]:
    """A head as the variables of this moment make it."""
    port, ray_command = free_port(), "from ray.scripts.scripts import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", ray_command, "start", "--head", "--block", f"--port={port}", "--num-cpus=4",
         "--include-dashboard=false", "--object-store-memory=100000000", "--disable-usage-stats"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        said = apart / "ray" / "ray_current_cluster"
        for _ in range(600):
            if said.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        yield said.read_text()
    finally:
        family = [process, *psutil.Process(process.pid).children(recursive=True)]
        for member in family:
            member.kill()
        process.wait()


def probe(*arguments: str) -> list[dict[str, Any]]:
    """Runs in a process of its own: how Ray listens is settled when it is imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stderr
    reports: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return reports


def assert_private(run: dict[str, Any], foreign: str, home: Path) -> None:
    assert run["address"].startswith("127.0.0.1:") and run["address"] != foreign
    assert {ip.removeprefix("::ffff:") for ip in run["listening"]} == {"127.0.0.1"}
    assert run["reached"] == [] and (run["token"], run["mode"]) == (0o600, "token")
    assert not run["left"] and not run["variables"]
    assert not (home / ".ray").exists()  # a token there closes clusters that are started later


@pytest.mark.slow
def test_a_run_leaves_a_foreign_cluster_alone_unless_told(head: str, apart: Path) -> None:
    own, joined = probe(head)
    assert_private(own, head, apart)
    assert joined["address"] == head


@pytest.mark.slow
def test_a_cluster_with_a_token_is_joined_by_those_who_have_it(apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands of deploy/README.md."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    make_token = [sys.executable, "-c", "from ray.scripts.scripts import main; main()", "get-auth-token", "--generate"]
    subprocess.run(make_token, check=True, capture_output=True, timeout=100)
    token = apart / ".ray" / "auth_token"
    token.chmod(0o600)
    with started(apart) as address:
        own, joined = probe(address)
        assert own["address"] != joined["address"] == address
        token.write_text("0" * 64)
        monkeypatch.setenv("RAY_ADDRESS", address)
        refused = subprocess.run(
            [sys.executable, "-c", "from augkit.balance.cluster import cluster\nwith cluster(1): pass"],
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
    assert refused.returncode and "ConfigError" in refused.stderr and "~/.ray/auth_token" in refused.stderr


def test_a_killed_head_has_left_its_address(apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = f"127.0.0.1:{free_port()}"
    (apart / "ray").mkdir()
    (apart / "ray" / "ray_current_cluster").write_text(foreign)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    (own,) = probe()
    assert_private(own, foreign, apart)


@pytest.mark.parametrize(("address", "cause"), [("127.0.0.1:{}", "refused"), ("nonsense", "Invalid address")])
def test_an_address_where_nobody_answers(address: str, cause: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = address.format(free_port())
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ConfigError, match=rf"RAY_ADDRESS is {address}(.|\n)*{cause}(.|\n)*unset it"), cluster(1):
        pass
    assert not ray.is_initialized()


def test_what_ray_raises_at_its_start_is_an_error_of_ours(apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders, logs = [], ClusterLogs(apart / "reports" / "ray-logs")

    def fail(**options: Any) -> None:
        folders.append(Path(options["_temp_dir"]))
        (folders[0] / "session_latest" / "logs").mkdir(parents=True)
        (folders[0] / "session_latest" / "logs" / "raylet.err").write_text("why")
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", fail)
    with pytest.raises(ConfigError, match=r"ray-logs\)(.|\n)*timed out(.|\n)*--executor local"):
        own_cluster(1, logs).__enter__()
    assert not folders[0].exists() and "RAY_AUTH_TOKEN_PATH" not in os.environ
    assert (logs.place / "raylet.err").read_text() == "why"


def test_what_ends_a_whole_group_leaves_ray_to_the_command(apart: Path) -> None:
    """A raylet that heard it would take the command with it before that has taken anything back."""
    from ray._private import services

    def where() -> int:
        return os.getpgid(os.getpid())

    usual, here = services.ConsolePopen, psutil.Process()
    with own_cluster(1) as connected:
        worker = connected.get(connected.remote(where).remote())
        started = here.children()
        assert {"raylet", "gcs_server"} <= {child.name() for child in started if os.getpgid(child.pid) == child.pid}
        assert worker != where() and services.ConsolePopen is usual


def test_logs_are_kept_where_a_worker_died_and_only_then(tmp_path: Path) -> None:
    for wanted in (False, True):
        logs = ClusterLogs(tmp_path / "reports" / str(wanted))
        with _private_folder(logs) as folder:
            (folder / "session_latest" / "logs").mkdir(parents=True)
            assert folder.stat().st_mode & 0o77 == 0
            logs.wanted = wanted
        assert logs.place.exists() == wanted and str(logs.place) in logs.said


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """Another network namespace, with a wire to this one: its name, and our address on the wire."""
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("needs root and iproute2")
    name, near, far, ours = f"augkit-{os.getpid()}", f"ak{os.getpid()}a", f"ak{os.getpid()}b", "10.213.77.1"
    commands = [
        f"netns add {name}", f"link add {near} type veth peer name {far} netns {name}",
        f"addr add {ours}/30 dev {near}", f"link set {near} up",
        f"-n {name} addr add 10.213.77.2/30 dev {far}", f"-n {name} link set {far} up",
    ]  # fmt: skip
    try:
        for command in commands:
            if subprocess.run(["ip", *command.split()], capture_output=True, check=False).returncode:
                pytest.skip(f"no leave for ip {command}")
        monkeypatch.setenv("PROBE_NAMESPACE", name)
        yield name, ours
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", near], capture_output=True, check=False)


@pytest.mark.slow
def test_another_network_namespace_reaches_nothing(namespace: tuple[str, str], apart: Path) -> None:
    name, ours = namespace
    with socket.create_server((ours, 0)) as server:  # the wire works
        call = f"import socket; socket.create_connection(('{ours}', {server.getsockname()[1]}), 20)"
        subprocess.run(["ip", "netns", "exec", name, sys.executable, "-c", call], check=True)
    (own,) = probe()
    assert_private(own, "", apart)
