"""One made input, tried in a process of its own: what it may cost, and what it may touch."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SECONDS, BYTES, WAIT = 20, 2**31, 120.0
"""Of the processor; of memory; and of the clock, since what waits for ever uses no processor."""
FORESEEN = (0, 2, 3, 4)
"""Exit codes that say what is wrong; 70 is a fault of our own."""
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
_STARTED = 99

Act = Callable[[Path], int]
"""Makes the input in a folder, tries it there, and tells the exit code."""


@dataclass(frozen=True)
class Verdict:
    """What became of an input; ``fault`` is empty where all was as it should be."""

    name: str
    fault: str
    seconds: float
    bytes: int


def try_input(name: str, act: Act, place: Path) -> Verdict:
    """Forks, and judges what comes back. The place is removed where nothing is wrong."""
    inside, outside = place / "inside", place / "outside"
    inside.mkdir(parents=True)
    outside.mkdir()
    for file in ("x.png", "x.jpg", "x.mask.png", "x"):
        (outside / file).write_text("somebody's")
    before = _state(place, inside)
    child = os.fork()
    if child == 0:
        _in_child(act, inside, place / "said.txt")
    status, usage = _waited(child)
    fault = _fault(status, usage, place, _state(place, inside) == before)
    if not fault:
        shutil.rmtree(place, ignore_errors=True)
    return Verdict(name, fault, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _in_child(act: Act, inside: Path, said: Path) -> None:
    """Never returns."""
    code = 98
    try:
        descriptor = os.open(said, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        sys.stdout = sys.stderr = os.fdopen(descriptor, "w", buffering=1)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        _limit_memory()
        tempfile.tempdir = str(inside)
        os.chdir(inside)
        sys.addaudithook(_refuse_programs)
        code = act(inside)
    except BaseException as error:
        import traceback

        traceback.print_exception(error)
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _limit_memory() -> None:
    """So much data beside what the libraries hold already."""
    lines = Path("/proc/self/status").read_text().splitlines()
    held = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (held + BYTES, held + BYTES))


def _refuse_programs(event: str, arguments: object) -> None:
    if event in _PROGRAMS:
        print("a program was started", arguments, flush=True)
        os._exit(_STARTED)


def _waited(child: int) -> tuple[int, resource.struct_rusage]:
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found, status, usage = os.wait4(child, os.WNOHANG)
        if found:
            return status, usage
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return status, usage


def _fault(status: int, usage: resource.struct_rusage, place: Path, untouched: bool) -> str:
    said = (place / "said.txt").read_text(errors="replace") if (place / "said.txt").exists() else ""
    reports = sorted((place / "inside").glob("augkit-fault-*.txt"))
    last = "; ".join((reports[0].read_text() if reports else said).strip().splitlines()[-3:])
    code = os.waitstatus_to_exitcode(status)
    faults = {
        f"ended by signal {-code}": code < 0,
        f"exit code {code}": code >= 0 and code not in FORESEEN,
        "a traceback": "Traceback (most recent call last)" in said,
        f"{usage.ru_maxrss >> 10} MiB": usage.ru_maxrss * 1024 > BYTES,
        "touched what lies outside": not untouched,
    }
    found = [fault for fault, is_so in faults.items() if is_so]
    return f"{', '.join(found)}: {last}"[:600] if found else ""


def _state(place: Path, inside: Path) -> str:
    """All files beside the one folder that may change."""
    digest = hashlib.sha256()
    for path in sorted(place.rglob("*")):
        if not path.is_relative_to(inside) and path.is_file() and path.name != "said.txt":
            digest.update(f"{path} {path.read_bytes()!r}".encode())
    return digest.hexdigest()
