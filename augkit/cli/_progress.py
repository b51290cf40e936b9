"""How far the work is, on stderr: bars in a terminal, lines elsewhere; stdout is for results."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Display
from rich.progress import TimeElapsedColumn as Elapsed
from rich.progress import TimeRemainingColumn as Remaining

from augkit.cli._log import logs_to_file, note
from augkit.cli._manner import MANNER
from augkit.core.duration import words
from augkit.core.launcher import is_main_process
from augkit.core.progress import Progress


class Bars:
    """A ``Progress``: a context in which the work is shown in the manner that was asked for, and in the log file."""

    def __init__(self) -> None:
        self._shown: list[Progress] = []
        self._open = ExitStack()

    def __enter__(self) -> Bars:
        if is_main_process():
            manner = MANNER.get()
            if manner == "bar" or (manner == "auto" and sys.stderr.isatty()):
                self._shown.append(self._open.enter_context(_bars()))
            elif manner in ("auto", "plain"):
                self._shown.append(Lines(_print))
            if logs_to_file():
                self._shown.append(Lines(note))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def __call__(self, name: str, done: int, total: int, /) -> None:
        """Shows how far the work of this name is."""
        for shown in self._shown:
            shown(name, done, total)


@contextmanager
def _bars() -> Iterator[Progress]:
    """A bar for each name, each with the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed(), Remaining())
    tasks: dict[str, TaskID] = {}
    told: dict[str, int] = {}
    with Display(*columns, console=Console(stderr=True)) as display:

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = display.add_task(name, total=total)
            elif done < told[name]:  # work of this name, once more
                display.reset(tasks[name])
            told[name] = done
            display.update(tasks[name], completed=done, total=total)

        yield show


@dataclass
class Pace:
    """Of one name: where and when it was first told of, and last said."""

    first: int
    began: float
    said: int
    said_at: float


class Lines:
    """A ``Progress`` that says a line for each name when it begins, every 30 s or 5 %, and at its end.

    Of work that takes less than a second or two there is only the last line.
    """

    SECONDS, SHARE, APART = 30.0, 0.05, 1.0

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock = say, clock
        self._paces: dict[str, Pace] = {}

    def __call__(self, name: str, done: int, total: int, /) -> None:
        """Says a line when one is due."""
        now = self._clock()
        if name not in self._paces or done < self._paces[name].said:  # work of this name, for the first time or anew
            self._paces[name] = Pace(done, now, done, now)
        pace = self._paces[name]
        waited, further = now - pace.said_at, done - pace.said
        due = waited >= self.SECONDS or (waited >= self.APART and further >= self.SHARE * total)
        if due or done >= total:
            pace.said, pace.said_at = done, now
            self._say(f"{name}: {done}/{total} ({done / max(1, total):.0%})" + _rate(pace, done, total, now))


def _rate(pace: Pace, done: int, total: int, now: float) -> str:
    seconds, steps = now - pace.began, done - pace.first
    if seconds <= 0 or steps <= 0:
        return ""
    each = seconds / steps
    speed = f"{1 / each:.3g}/s" if each < 1 else f"{each:.3g} s each"
    return f", {speed}, " + (f"{words((total - done) * each)} left" if done < total else f"took {words(seconds)}")


def _print(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)
