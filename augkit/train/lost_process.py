"""Another process of a training that ended: what this one, which waits for its gradients, says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch.distributed import DistError

from augkit.core.errors import TrainingError

_BACKENDS = ("gloo", "nccl", "mpi")


@contextmanager
def lost_process_told(processes: int) -> Iterator[None]:
    """Raises TrainingError for what the communication between several processes raises where one is gone."""
    try:
        yield
    except RuntimeError as error:
        said = " ".join(str(error).split())
        if processes < 2 or not (isinstance(error, DistError) or any(name in said.lower() for name in _BACKENDS)):
            raise
        raise TrainingError(
            f"another of the {processes} processes of this training ended, or cannot be reached ({said:.200})",
            "all of them, to the end",
            "what it said itself, or the system's log, tells why; then run the same command again, with any number of "
            "processes that divides the batch: it goes on from the last checkpoint",
        ) from error
