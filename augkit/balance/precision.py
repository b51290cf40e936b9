"""What stage II computes in while pairs are generated: chosen once for a data set, whoever goes on with it."""

from __future__ import annotations

from dataclasses import dataclass

from augkit.balance.plan import Plan
from augkit.core.arithmetic import Arithmetic, Precision
from augkit.core.errors import ConfigError
from augkit.train.machine import processor_bf16_is_fast

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


def choose(asked: Precision, earlier: Plan | None) -> PrecisionChoice:
    """What was asked for; with ``auto`` that of the ``earlier`` plan, which shards here follow, and without one bf16
    where this processor multiplies it natively.

    Raises ConfigError where something else is asked for than the earlier plan has: its pairs would not be alike.
    """
    native = processor_bf16_is_fast()
    here = "this processor multiplies bf16 natively" if native else "this processor has no native bf16"
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
