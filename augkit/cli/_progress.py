"""Progress bars on stderr: one a training run, one a class, one a pile of rows, each with the time left."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Display
from rich.progress import TimeElapsedColumn as Elapsed
from rich.progress import TimeRemainingColumn as Remaining

from augkit.core.launcher import is_main_process


class Bars:
    """A ``Progress``: a context in which bars are shown. They go to stderr: stdout is for results."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed(), Remaining())
        self._display = Display(*columns, console=Console(stderr=True), disable=not is_main_process())
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        self._display.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._display.stop()

    def __call__(self, name: str, done: int, total: int, /) -> None:
        """Sets the bar of this name."""
        self._display.update(self._task(name, total), completed=done, total=total)

    def rows(self, name: str, total: int) -> Callable[[object], None]:
        """A bar for so many rows; returns what to call with each."""
        task = self._task(name, total)
        return lambda _: self._display.advance(task)

    def _task(self, name: str, total: int) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._display.add_task(name, total=total)
        return self._tasks[name]
