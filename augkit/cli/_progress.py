"""Progress bars: one a training run and one a class, with time left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Bars:
    """A context in which bars are shown on stderr."""

    def __init__(self, stderr: bool = True) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, TimeRemainingColumn(), console=Console(stderr=stderr))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self._progress.stop()

    def steps(self, name: str, done: int, total: int) -> None:
        """Sets a bar: so many of ``total`` steps are done."""
        self._progress.update(self._task(name, total), completed=done)

    def pairs(self, wanted: Mapping[str, int]) -> Callable[[str, int], None]:
        """Bars for the classes that need pairs; returns what advances them."""

        def advance(name: str, more: int) -> None:
            if name in wanted:
                self._progress.advance(self._task(name, wanted[name]), more)

        return advance

    def _task(self, name: str, total: int) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total)
        return self._tasks[name]
