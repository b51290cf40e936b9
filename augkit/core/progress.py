"""How work tells its caller how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What is told: a bar, a log, nobody."""

    def __call__(self, name: str, done: int, total: int, /) -> None:
        """So many of ``total`` steps of the work called ``name`` are done."""


def silent(*_: object) -> None:
    """The null object: tells nobody. It stands for every callback that is told something and answers nothing."""


def prefixed(progress: Progress, prefix: str) -> Progress:
    """Tells of several works that call themselves alike, apart."""

    def told(name: str, done: int, total: int) -> None:
        progress(f"{prefix}{name}", done, total)

    return told


def renamed(progress: Progress, name: str) -> Progress:
    """Tells of work under another name, whatever it calls itself."""

    def told(_: str, done: int, total: int) -> None:
        progress(name, done, total)

    return told
