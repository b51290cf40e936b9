"""What the C library does with freed memory. By default it returns that of every large tensor to the system, and a CPU
then spends its time on mapping and clearing pages."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from functools import cache

# glibc's mallopt parameters (malloc.h): without them every step's tensors are mapped and unmapped afresh.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEEP_BYTES, _MMAP_BYTES = 1 << 30, 32 << 20  # glibc takes no mmap threshold above 32 MB


@cache
def keep_freed_memory() -> None:
    """Sets glibc's malloc so that large tensors are re-used rather than returned each step."""
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # another C library (musl): nothing to tune
        return
    mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)
    mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)


def release_memory() -> None:
    """Gives back what ``keep_freed_memory`` kept: after training, workers need it more."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
