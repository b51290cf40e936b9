"""What stage II computes in while pairs are generated: chosen once for a data set, whoever goes on with it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from augkit.balance.plan import Plan
from augkit.core.arithmetic import Arithmetic, DeviceKind, Precision
from augkit.core.errors import ConfigError
from augkit.train.machine import bf16_is_fast, processor_bf16_is_fast

UNSAID: Arithmetic = "fp32"
"""What plans of versions without this choice were made in."""


@dataclass(frozen=True)
class PrecisionChoice:
    """A precision, and why it is that."""

    precision: Arithmetic
    reason: str

    def __str__(self) -> str:
        return f"generating in {self.precision}: {self.reason}"

    @property
    def inputs(self) -> dict[str, str]:
        """What it adds to the inputs of a plan: nothing where that was not said before, so that such shards stay."""
        return {} if self.precision == UNSAID else {"precision": self.precision}


def choose(asked: Precision, earlier: Plan | None, device: DeviceKind = "cpu") -> PrecisionChoice:
    """What was asked for; with ``auto`` that of the ``earlier`` plan, which shards here follow, and without one bf16
    where the device multiplies it natively (GPUs that this machine does not have are taken to).

    Raises ConfigError where something else is asked for than the earlier plan has: its pairs would not be alike.
    """
    native = processor_bf16_is_fast() if device == "cpu" else not torch.cuda.is_available() or bf16_is_fast()
    where = "this processor" if device == "cpu" else "this GPU" if torch.cuda.is_available() else "a GPU"
    here = f"{where} multiplies bf16 natively" if native else f"{where} has no native bf16"
    if earlier is None:
        faster: Arithmetic = "bf16" if native else "fp32"
        return (
            PrecisionChoice(faster, here)
            if asked == "auto"
            else PrecisionChoice(asked, f"balance.precision asks for it; {here}")
        )
    planned = earlier.precision or UNSAID
    if asked not in ("auto", planned):
        raise ConfigError(
            f"balance.precision {asked}, but the shards here are made in {planned}",
            "one precision for all pairs of a data set",
            "--set balance.precision=auto goes on as they are; --fresh removes these shards and makes new ones",
        )
    return PrecisionChoice(planned, f"the shards here are; {here}")
