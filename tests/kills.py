"""A study: commands are killed (-9) at random moments and run again; what they leave must be as of an undisturbed run.

    python -m tests.kills --kills 100
    python -m tests.kills --kills 12 --seed 3 --only import gate

Killed are the command's own process, one of its workers, or all processes at once. Each command works on a copy of one
small workspace. The figures are printed by command; the exit code is 1 where a run differs, or leaves temporary files
or locks. Processes are forked from this one, which has imported everything: that saves most of their time.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from augkit.balance.job import Balance, BalanceRequest, train_missing
from augkit.cli._app import run
from augkit.core.classes import CarClass
from augkit.core.lock import FORGOTTEN
from augkit.core.workspace import Workspace
from augkit.settings import load_settings, save_settings
from augkit.sources.render import render_schema
from augkit.sources.render.rendered_samples import rendered_samples
from tests.balance.conftest import CHANGES, COUNTS
from tests.data.importers.makers.folder import make
from tests.importing import import_samples

SETTINGS = [*CHANGES, "mask.steps=60", "mask.save_every=10", "balance.target_per_class=9", "balance.attempts=2"]
ONLY = [word for name in COUNTS for word in ("--only", name)]
SMALL = ("--size", "64", "--config", "smoke")
IMPORTED = ("catalogue.parquet", "parts.json", "augkit.yaml", "pairs")
PATIENCE = 600.0
MOST_RUNS = 4
"""Of the command after the kill: a worker that was killed may end it with exit code 4 once."""


@dataclass(frozen=True)
class Command:
    """A command line, the state that it starts from, who may be killed, and what it writes."""

    words: tuple[str, ...]
    start: str
    victims: tuple[str, ...]
    writes: tuple[str, ...]
    code: tuple[int, ...] = (0, 4)


COMMANDS = {
    "import": Command(("import", "folder", "SRC", *SMALL), "empty", ("driver",), IMPORTED),
    "import in two": Command(("import", "folder", "SRC", *SMALL, "--workers", "2"), "empty", ("worker", "group"),
                             IMPORTED),
    "train": Command(("train", "mask", "--resume"), "imported", ("driver", "group"),
                     ("models/mask/all/model.safetensors", "models/mask/all/checkpoint.safetensors",
                      "models/mask/all/config.json")),
    "balance local": Command(("balance", "--executor", "local", *ONLY), "trained", ("driver", "group"), ("shards",)),
    "balance ray": Command(("balance", "--executor", "ray", *ONLY), "trained", ("driver", "worker", "group"),
                           ("shards",)),
    "gate": Command(("gate", "--set", "gate.slack=1.0"), "balanced", ("driver", "group"), ("shards",)),
    "report": Command(("report",), "balanced", ("driver", "group"), ("reports/report.html", "shards")),
}  # fmt: skip


@dataclass
class Figures:
    """Of one command: kills, runs that had ended before, and what went wrong."""

    kills: int = 0
    late: int = 0
    wrong: list[str] = field(default_factory=list)


def spawn(words: Sequence[str], log: Path) -> int:
    """The command in a forked process and a group of its own; its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        os.setsid()
        with log.open("ab") as stream:
            for number in (1, 2):
                os.dup2(stream.fileno(), number)
        code = run(list(words))
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)


def wait(pid: int, seconds: float) -> int | None:
    """The exit code, or None where the process lives on after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.005)


def family(pid: int) -> list[psutil.Process]:
    """All that the process has started."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def kill(pid: int, victim: str, random: np.random.Generator) -> None:
    """Kills the driver, one of its workers (itself where it has none), or all."""
    workers = family(pid)
    if victim == "worker":
        chosen = [workers[int(random.integers(len(workers)))].pid] if workers else [pid]
    else:
        chosen = [pid, *(worker.pid for worker in workers)] if victim == "group" else [pid]
    for number in chosen:
        with suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def digest(root: Path, names: Sequence[str]) -> dict[str, str]:
    """sha256 of the files that are named, and of all in the folders that are."""
    files = [
        path for name in names for path in sorted((root / name).rglob("*") if (root / name).is_dir() else [root / name])
    ]
    return {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def left_behind(root: Path) -> list[str]:
    """Temporary files and locks."""
    return [str(path.relative_to(root)) for path in root.rglob(".*") if path.suffix in (".tmp", ".lock")]


def age(root: Path) -> None:
    """Temporary files that nobody's lock speaks for are swept once they are forgotten: so much time has passed."""
    forgotten = time.time() - 2 * FORGOTTEN
    for path in root.rglob(".*.tmp"):
        os.utime(path, (forgotten, forgotten), follow_symlinks=False)


class Study:
    """The states that commands start from, what they end with undisturbed, and how long that takes."""

    def __init__(self, folder: Path, names: Sequence[str], seed: int) -> None:
        self.folder, self.names, self.random = folder, list(names), np.random.default_rng(seed)
        self.source, self.log = make(folder / "source", 24), folder / "log"
        self._prepare()
        self.expected: dict[str, dict[str, str]] = {}
        self.seconds: dict[str, float] = {}
        for name in self.names:
            root = self.copy(COMMANDS[name].start)
            began = time.monotonic()
            code = wait(spawn(self.words(name, root), self.log), PATIENCE)
            self.seconds[name] = time.monotonic() - began
            assert code in COMMANDS[name].code, self.log.read_text()[-3000:]
            self.expected[name] = digest(root, COMMANDS[name].writes)
            shutil.rmtree(root)
            print(f"{name}: {self.seconds[name]:.1f} s undisturbed, {len(self.expected[name])} files", flush=True)

    def _prepare(self) -> None:
        settings, states = load_settings("smoke", SETTINGS), self.folder / "states"
        (states / "empty").mkdir(parents=True)
        place = Workspace(states / "imported")
        samples = rendered_samples({CarClass.parse(name): n for name, n in COUNTS.items()}, 64, settings.seed)
        import_samples(samples, render_schema(), place, settings, settings.seed)
        save_settings(settings, place.settings)
        trained = Workspace(shutil.copytree(place.root, states / "trained"))
        train_missing(Balance(trained, settings, BalanceRequest(9)))
        balanced = shutil.copytree(trained.root, states / "balanced")
        code = wait(spawn(self.words("balance local", balanced), self.log), PATIENCE)
        assert code in (0, 4), self.log.read_text()[-3000:]

    def copy(self, state: str) -> Path:
        """A workspace in that state, always at the same place: the page names it."""
        root = self.folder / "workspace"
        shutil.rmtree(root, ignore_errors=True)
        return Path(shutil.copytree(self.folder / "states" / state, root))

    def words(self, name: str, root: Path) -> list[str]:
        """The command line."""
        return [str(self.source) if word == "SRC" else word for word in COMMANDS[name].words] + ["-w", str(root)]

    def trial(self, name: str, victim: str, figures: Figures) -> None:
        """One kill, and the command again until it ends well."""
        command, root = COMMANDS[name], self.copy(COMMANDS[name].start)
        pid = spawn(self.words(name, root), self.log)
        moment = float(self.random.uniform(0.02, 0.98)) * self.seconds[name]
        if wait(pid, moment) is not None:
            figures.late += 1
            print(f"{name}: had ended after {moment:.2f} s", flush=True)
            return
        kill(pid, victim, self.random)
        codes = [wait(pid, PATIENCE)]
        age(root)
        while codes[-1] not in command.code[:1] and len(codes) <= MOST_RUNS:
            if codes[-1] == 4 and digest(root, command.writes) == self.expected[name]:
                break  # what it ends with undisturbed, too
            codes.append(wait(spawn(self.words(name, root), self.log), PATIENCE))
        figures.kills += 1
        found, expected = digest(root, command.writes), self.expected[name]
        other = sorted(file for file in {*found, *expected} if found.get(file) != expected.get(file))
        left = left_behind(root)
        said = f"{victim} after {moment:.2f} s, exit codes {codes}"
        if other or left:
            figures.wrong.append(f"{said}: other {other[:4]}, left {left[:4]}")
        print(f"{name}: {said}: {figures.wrong[-1] if other or left else 'the same bytes'}", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Prepares, kills, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=[""], help="commands whose name begins so")
    options = parser.parse_args(arguments)
    names = [name for name in COMMANDS if name.startswith(tuple(options.only))]
    with tempfile.TemporaryDirectory(prefix="kills-", ignore_cleanup_errors=True) as folder:
        study = Study(Path(folder), names, options.seed)
        kinds = [(name, victim) for name in names for victim in COMMANDS[name].victims]
        kinds = [kinds[place] for place in np.random.default_rng(options.seed).permutation(len(kinds))]
        figures = {name: Figures() for name in names}
        number = 0
        while sum(f.kills for f in figures.values()) < options.kills:
            name, victim = kinds[number % len(kinds)]
            number += 1
            study.trial(name, victim, figures[name])
    print(f"{'command':16}{'kills':>6}{'same bytes':>12}{'ended before':>14}")
    for name, own in figures.items():
        print(f"{name:16}{own.kills:6}{own.kills - len(own.wrong):12}{own.late:14}")
    return 1 if any(own.wrong for own in figures.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
