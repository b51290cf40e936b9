"""All families, one input after the other."""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.fuzz.families import FAMILIES, build_base
from tests.fuzz.trial import Verdict, try_input

INPUTS = sum(count for _, count in FAMILIES.values())


def sweep(place: Path, inputs: int = INPUTS, seed: int = 0, family: str | None = None) -> list[Verdict]:
    """Tries so many inputs in a folder and prints a line a family; returns those that failed."""
    _import_what_is_slow()
    base = place / "base"
    child = os.fork()
    if child == 0:
        code = 98
        try:
            said = os.open(place / "base.txt", os.O_WRONLY | os.O_CREAT)
            os.dup2(said, 1)
            os.dup2(said, 2)
            code = build_base(base)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the undamaged workspace cannot be made"
    failed = []
    print(f"{'family':<12} {'tried':>6} {'passed':>6} {'most s':>7} {'MiB':>6}", flush=True)
    for name, (make, share) in FAMILIES.items():
        if family in (None, name):
            count = max(1, round(inputs * share / INPUTS)) if family is None else inputs
            found = [
                try_input(f"{name}-{n}", make(random.Random(f"{seed}/{name}/{n}"), base), place / f"{name}-{n}")
                for n in range(count)
            ]
            failed += [verdict for verdict in found if verdict.fault]
            passed = sum(not verdict.fault for verdict in found)
            most, size = max(v.seconds for v in found), max(v.bytes for v in found)
            print(f"{name:<12} {count:>6} {passed:>6} {most:>7.1f} {size >> 20:>6}", flush=True)
    return failed


def _import_what_is_slow() -> None:
    """Once, so that a fork has it."""
    import augkit.balance.job
    import augkit.report.page
    import augkit.stages.mask

    assert augkit.balance.job and augkit.report.page and augkit.stages.mask
