"""SIGTERM and SIGHUP end a command as Ctrl-C does: what it was writing is taken back, and its locks go."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

_NUMBERS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_ONE_CALL = 5.0
"""Seconds in which signals are one wish: a closed terminal sends several, and the first one is being heeded."""


class Interrupts:
    """While this lasts, the signals raise KeyboardInterrupt; ``asked`` tells that one came.

    A signal that the caller has ignored (``nohup``) stays ignored. Does nothing outside the main thread.
    """

    def __init__(self) -> None:
        self.asked = False
        self._last = float("-inf")
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            found = {number: signal.getsignal(number) for number in _NUMBERS}
            self._before = {number: handler for number, handler in found.items() if handler != signal.SIG_IGN}
            for number in self._before:
                signal.signal(number, self._interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self.asked, before, self._last = True, self._last, time.monotonic()
        if self._last - before > _ONE_CALL:
            raise KeyboardInterrupt
