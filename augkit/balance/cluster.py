"""The Ray cluster of a run: the one that ``RAY_ADDRESS`` names, or one of the run's own on this machine."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from augkit.core.errors import ConfigError

LOGS = "ray-logs"
OBJECT_STORE_BYTES = 100 << 20  # reports are a kilobyte each; no picture enters the store
LOCAL = "local"  # Ray's word for: start one, whatever runs here or was left behind
LONGEST_FOLDER = 30  # bytes: the paths of Ray's sockets lie 70 deeper, and may have 107
REACHABLE_SECONDS = 10.0


@dataclass
class ClusterLogs:
    """What Ray wrote in a cluster of our own: it goes with the cluster, but for runs in which something failed.

    ``wanted`` asks for it; an error is asking. ``said`` tells people where it is, and is empty for clusters of others.
    """

    place: Path
    wanted: bool = False
    said: str = ""

    def keep(self, session: Path) -> None:
        """Copies it, in place of what was kept before."""
        with suppress(OSError):  # the error that it is about counts more
            shutil.rmtree(self.place, ignore_errors=True)
            shutil.copytree(session / "logs", self.place, ignore_dangling_symlinks=True)


@contextmanager
def cluster(cpus: int, logs: ClusterLogs | None = None) -> Iterator[Any]:
    """The module ``ray``, connected for as long as this lasts; a connection that the caller has is used and kept.

    ``cpus`` is what a cluster of its own offers; one that is joined says that itself. Raises ConfigError where there
    is no connection.
    """
    ray, address = sys.modules.get("ray"), os.environ.get("RAY_ADDRESS") or LOCAL
    if ray is not None and ray.is_initialized():
        yield ray
    elif address == LOCAL:
        with own_cluster(cpus, logs) as ray:
            yield ray
    else:
        with _joined(address) as ray:
            yield ray


@contextmanager
def own_cluster(cpus: int, logs: ClusterLogs | None = None) -> Iterator[Any]:
    """A cluster that ends with this: of this machine alone, with a folder and a token that nobody else has.

    Ray would write its token to the home directory, where it closes clusters that are started later to those who
    lack it.
    """
    with _private_folder(logs) as folder, _environment(_private(folder)), _connection(
        "Ray could not be started on this machine" + (logs.said if logs else ""), "--executor local needs no Ray",
        address=LOCAL, num_cpus=cpus, object_store_memory=OBJECT_STORE_BYTES, include_dashboard=False,
        configure_logging=False, _temp_dir=str(folder), _node_ip_address="127.0.0.1",
    ) as ray:  # fmt: skip
        yield ray


@contextmanager
def _private_folder(logs: ClusterLogs | None) -> Iterator[Path]:
    """A folder for Ray that nobody else may look into; its logs are kept where they are wanted."""
    with tempfile.TemporaryDirectory(prefix="augkit-", dir=_short_folder(), ignore_cleanup_errors=True) as name:
        folder = Path(name)
        if logs is None:
            yield folder
            return
        logs.said = f" (Ray's own logs: {logs.place})"
        try:
            yield folder
        except Exception:
            logs.wanted = True
            raise
        finally:
            if logs.wanted:
                logs.keep(folder / "session_latest")


def _private(folder: Path) -> dict[str, str | None]:
    """Variables of a cluster that demands a token, which only this user can read, and listens on loopback alone."""
    token = folder / "token"
    with os.fdopen(os.open(token, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    return {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": None,  # it would count more than the file
        "RAY_AUTH_TOKEN_PATH": str(token),
        # Ray's switch for listening on the loopback address alone; 127.0.0.1 is replaced by the public one without it
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }


@contextmanager
def _joined(address: str) -> Iterator[Any]:
    found = f"RAY_ADDRESS is {address}, and that cluster could not be joined"
    remedy = (
        "correct RAY_ADDRESS, or unset it to work on this machine; a cluster with a token wants RAY_AUTH_MODE=token "
        "and its token in ~/.ray/auth_token (deploy/README.md)"
    )
    _reach(address, found, remedy)
    with _environment({}), _connection(found, remedy) as ray:
        yield ray


def _reach(address: str, found: str, remedy: str) -> None:
    """Ray itself tries for minutes. Raises ConfigError where nobody answers; leaves other kinds of address to Ray."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), REACHABLE_SECONDS).close()
    except OSError as error:
        raise ConfigError(f"{found}: {error}", "HOST:PORT of a head that runs", remedy) from error


@contextmanager
def _connection(found: str, remedy: str, **options: Any) -> Iterator[Any]:
    """Between ``ray.init`` and ``ray.shutdown``."""
    import ray

    try:
        _read_authentication()
        ends = signal.getsignal(signal.SIGTERM)
        try:
            with _apart():
                ray.init(log_to_driver=False, **options)
            if threading.current_thread() is threading.main_thread() and ends is not None:
                signal.signal(signal.SIGTERM, ends)  # Ray's own handler would leave without taking anything back
        except Exception as error:  # Ray raises all kinds, Exception itself among them
            raise ConfigError(f"{found}: {str(error).strip() or repr(error)}", "a Ray that answers", remedy) from error
        except SystemExit as ended:  # of Ray's own handler, where SIGTERM comes while it starts
            raise KeyboardInterrupt from ended
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _apart() -> Iterator[None]:
    """Processes that Ray starts meanwhile have process groups of their own.

    ``timeout`` and shells signal a whole group. A raylet that heard it would be gone at once, and Ray ends a process
    that has lost its raylet, with whatever it was about to take back.
    """
    services: Any = import_module("ray._private.services")
    usual = getattr(services, "ConsolePopen", None)  # private, and so without a promise
    if usual is None:
        yield
        return
    services.ConsolePopen = partial(usual, process_group=0)
    try:
        yield
    finally:
        services.ConsolePopen = usual


@contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """These variables for a while, and then those of before, also where Ray has changed them. None unsets one."""
    accelerators = "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"  # where it is not set, Ray warns of a change to come
    values = {accelerators: os.environ.get(accelerators, "0"), **values}
    before = {name: os.environ.get(name) for name in (*values, "RAY_AUTH_MODE")}
    _set(values)
    try:
        yield
    finally:
        _set(before)
        _read_authentication()


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def _read_authentication() -> None:
    """Ray reads mode and token once a process, and would go on with those of the cluster before."""
    from ray._raylet import AuthenticationTokenLoader, Config  # type: ignore[attr-defined]

    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def _short_folder() -> str | None:
    """Where the folder goes; None for the system's place. Ray puts sockets in it, whose paths must be short."""
    usual = tempfile.gettempdir()
    return "/tmp" if len(usual) > LONGEST_FOLDER and Path("/tmp").is_dir() else None
