"""Peak memory of a command and all its descendants (Ray's processes too), and how long it took.

    python tests/benchmarks/memory.py augkit balance --workspace ws --target-per-class 120

Sums the proportional set size (PSS) of the process tree twice a second: shared pages count once. Linux only.
Target: under 4 GiB for ``balance`` with two workers at 128 px.
"""

from __future__ import annotations

import sys
import time

import psutil

EVERY = 0.5


def main() -> None:
    """Runs the command and prints its peak and its duration."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    began, peak = time.monotonic(), 0
    process = psutil.Popen(sys.argv[1:])
    while process.poll() is None:
        peak = max(peak, tree_bytes(process))
        time.sleep(EVERY)
    seconds = time.monotonic() - began
    print(
        f"peak memory {peak / 2**30:.2f} GiB, {seconds / 60:.1f} min, exit code {process.returncode}", file=sys.stderr
    )
    sys.exit(process.returncode)


def tree_bytes(root: psutil.Process) -> int:
    """PSS of a process and its descendants; those that end while being read count as 0."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
            continue
    return total


if __name__ == "__main__":
    main()
