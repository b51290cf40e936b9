"""Bars of a function that nobody gave a ``progress``: tqdm's, widgets in a notebook and lines in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augkit.core.progress import Progress


class NotebookBars:
    """A ``Progress`` with a bar for each name."""

    def __init__(self) -> None:
        self._bars: dict[str, Any] = {}

    def __call__(self, name: str, done: int, total: int, /) -> None:
        """Sets the bar of this name."""
        from tqdm.auto import tqdm

        if name not in self._bars:
            self._bars[name] = tqdm(desc=name, total=total)
        bar = self._bars[name]
        bar.total = total
        bar.update(done - bar.n)

    def close(self) -> None:
        """Ends them; they stay to be seen."""
        for bar in self._bars.values():
            bar.close()


@contextmanager
def shown(progress: Progress | None) -> Iterator[Progress]:
    """What to tell of the work: the given one, or bars that end with the block."""
    if progress is not None:
        yield progress
        return
    bars = NotebookBars()
    try:
        yield bars
    finally:
        bars.close()
