"""The plan: what to write, one row a shard.

A plan is a function of the real pairs, the target, the seed, the models and the settings (its digest); what is planned
minus what is committed is left to do. A higher target appends rows, so nothing that was generated is made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from augkit.classes import CarClass
from augkit.errors import ConfigError, DataError
from augkit.shards.storage import Storage

PLAN_FILE = "plan.json"
PLAN_FORMAT = 1
Kind = Literal["real", "generated", "classical"]


@dataclass(frozen=True)
class PlanRow:
    """One shard: ``keys`` of real pairs, or how many pairs of ``class_name`` to make.

    A pair of kind ``classical`` is made from a real one: then ``keys`` names that of each pair.
    """

    shard: str
    kind: Kind
    class_name: str
    want: int
    keys: tuple[str, ...] = ()

    def digest(self, inputs: str, models: Sequence[str]) -> str:
        """Names the row with everything that its bytes depend on; stored in the shard's commit record."""
        return hashlib.sha256(json.dumps([asdict(self), inputs, list(models)]).encode()).hexdigest()


@dataclass(frozen=True)
class Plan:
    """``inputs`` is the digest of what the rows depend on besides themselves."""

    inputs: str
    rows: tuple[PlanRow, ...]

    @property
    def digest(self) -> str:
        """sha256 over the whole plan."""
        return hashlib.sha256(self._json()).hexdigest()

    def generated(self) -> dict[str, int]:
        """Pairs to make by class name, of either kind."""
        wanted: dict[str, int] = {}
        for row in self.rows:
            if row.kind != "real":
                wanted[row.class_name] = wanted.get(row.class_name, 0) + row.want
        return wanted

    def save(self, storage: Storage) -> None:
        """Writes the plan beside the shards."""
        storage.put(PLAN_FILE, self._json())

    def _json(self) -> bytes:
        tree = {"format": PLAN_FORMAT, "inputs": self.inputs, "rows": [asdict(row) for row in self.rows]}
        return json.dumps(tree, indent=1).encode() + b"\n"


def load_plan(storage: Storage) -> Plan | None:
    """The plan that the shards follow, or None where there are none yet. Raises DataError for a broken one."""
    if not storage.exists(PLAN_FILE):
        return None
    try:
        tree = json.loads(storage.read(PLAN_FILE))
        if tree["format"] != PLAN_FORMAT:
            raise ValueError(f"format {tree['format']}")
        rows = tuple(PlanRow(**row | {"keys": tuple(row["keys"])}) for row in tree["rows"])
        return Plan(tree["inputs"], rows)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{storage}: {PLAN_FILE}: {error}", "a plan of this version", "use --fresh") from error


def digest_of(inputs: Mapping[str, Any]) -> str:
    """sha256 of plain data."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def deficits(
    training: Mapping[CarClass, int], present: Sequence[CarClass], target: int, only: Sequence[CarClass] = ()
) -> dict[CarClass, int]:
    """Pairs that each class lacks: the target less its real training pairs. Held-out pairs do not count, since no
    segmenter is trained on them. ``only`` limits what is generated.

    Raises ConfigError for a target that is not positive and for a class that no real pair shows.
    """
    if target < 1:
        raise ConfigError(f"--target-per-class {target}", "1 or more", "say how many pairs each class should have")
    strange = [c.name for c in only if c not in present]
    if strange:
        raise ConfigError(
            f"--only {', '.join(strange)}: no real pair shows it", "one of " + ", ".join(c.name for c in present)
        )
    chosen = only or present
    return {c: max(0, target - training.get(c, 0)) for c in present if c in chosen}


def make_plan(
    inputs: str,
    real: Sequence[str],
    lacking: Mapping[CarClass, int],
    shard_size: int,
    earlier: Plan | None = None,
    *,
    kind: Kind = "generated",
) -> Plan:
    """Rows for the real pairs, then for what is lacking.

    Rows of an ``earlier`` plan over the same inputs stay, whatever they hold, and are counted; new ones follow them.
    """
    rows = list(earlier.rows) if earlier else _real_rows(real, shard_size)
    planned = Plan(inputs, tuple(rows)).generated()
    for car_class, need in lacking.items():
        rest = need - planned.get(car_class.name, 0)
        while rest > 0:
            rows.append(PlanRow(_name(len(rows)), kind, car_class.name, min(rest, shard_size)))
            rest -= shard_size
    return Plan(inputs, tuple(rows))


def _real_rows(keys: Sequence[str], shard_size: int) -> list[PlanRow]:
    chunks = [tuple(keys[begin : begin + shard_size]) for begin in range(0, len(keys), shard_size)]
    row = PlanRow("", "real", "", 0)
    return [replace(row, shard=_name(i), want=len(chunk), keys=chunk) for i, chunk in enumerate(chunks)]


def _name(number: int) -> str:
    return f"shard-{number:06d}"
