"""Trainings side by side, each in a process of its own: on a GPU one of small segmenters leaves most of it idle.

Nothing comes back from them but what they leave in their folders, so that what follows finds it done.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

from augkit.core.pool_worker import follow_parent
from augkit.core.progress import Progress

_Unit = TypeVar("_Unit")


def side_by_side(
    jobs: int, work: Callable[[_Unit], None], units: Sequence[_Unit], name: str, progress: Progress
) -> None:
    """Has ``work`` done on all units, ``jobs`` at a time. Raises the first error, and then begins no other unit; an
    interrupt ends those that have begun, too.

    With one job nothing is done here: whoever asks does it in turn.
    """
    if jobs <= 1 or not units:
        return
    context = multiprocessing.get_context("spawn")  # CUDA cannot be forked
    threads = max(1, (os.cpu_count() or 1) // jobs)
    progress(name, 0, len(units))
    with ProcessPoolExecutor(min(jobs, len(units)), context, initializer=_start, initargs=(threads,)) as pool:
        try:
            for done, over in enumerate(as_completed([pool.submit(_do, work, unit) for unit in units]), 1):
                over.result()
                progress(name, done, len(units))
        except KeyboardInterrupt:
            for worker in multiprocessing.active_children():
                worker.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _start(threads: int) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # read when torch is imported, which comes later
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what is half written is taken back
    follow_parent()


def _do(work: Callable[[_Unit], None], unit: _Unit) -> None:
    try:
        work(unit)
    except KeyboardInterrupt:
        os._exit(1)  # the pool would have the next unit begun
