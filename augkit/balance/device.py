"""Where pairs are generated, and how many at once: chosen once for a data set, whoever goes on with it.

The sums inside a network depend on how many pictures it makes at once, so batches are cut by the plan alone, and a
batch belongs to the inputs of a plan as the kind of device does.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from augkit.balance.plan import Plan
from augkit.core.arithmetic import Device, DeviceKind
from augkit.core.errors import ConfigError

LARGEST_BATCH = 64
PIXEL_BYTES = 4096
"""Memory of a GPU that a pixel of a photo takes while it is painted, roughly, in the largest preset."""
UNSEEN_BYTES = 16 << 30
"""Memory of GPUs that this process does not see, such as those of a cluster."""


@dataclass(frozen=True)
class DeviceChoice:
    """A kind of device, candidates at once, and why it is that."""

    kind: DeviceKind
    batch: int
    reason: str

    def __str__(self) -> str:
        return f"generating on {self.kind}, {self.batch} at once: {self.reason}"

    @property
    def inputs(self) -> dict[str, object]:
        """What it adds to the inputs of a plan: nothing where that was not said before, so that such shards stay."""
        return {} if (self.kind, self.batch) == ("cpu", 1) else {"device": self.kind, "batch": self.batch}


def choose_device(asked: Device, batch: int | None, size: int, earlier: Plan | None) -> DeviceChoice:
    """What was asked for; else that of the ``earlier`` plan, which shards here follow; else a GPU where there is one,
    and as many photos of ``size`` px at once as its memory holds (on a processor one, which batches hardly help).

    Raises ConfigError where something else is asked for than the earlier plan has.
    """
    if earlier is not None:
        planned = earlier.device
        if asked not in ("auto", planned) or batch not in (None, earlier.batch):
            raise ConfigError(
                f"balance.device {asked}, balance.batch {batch or 'auto'}, but the shards here are made on {planned}, "
                f"{earlier.batch} at once",
                "one kind of device and one batch for all pairs of a data set",
                "--set balance.device=auto --set balance.batch=auto goes on as they are; --fresh makes new ones",
            )
        return DeviceChoice(planned, earlier.batch, "the shards here are")
    there = torch.cuda.is_available()
    kind: DeviceKind = "cuda" if asked == "cuda" or (asked == "auto" and there) else "cpu"
    reason = ("there is a GPU" if there else "there is no GPU") if asked == "auto" else "balance.device asks for it"
    return DeviceChoice(kind, batch or (fitting(size) if kind == "cuda" else 1), reason)


def fitting(size: int) -> int:
    """Photos of ``size`` px that a GPU paints at once."""
    seen = torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else UNSEEN_BYTES
    return max(1, min(LARGEST_BATCH, seen // (PIXEL_BYTES * size**2)))
