"""The plan: what to write, one row a shard.

A plan grows by rounds. The first holds the real pairs and what the targets lack beside them; each later one what is
lacking still once every shard of those before it is committed. So rows are a function of the real pairs, the targets,
the seed, the models, the settings and the results of complete rounds, whoever made them and however often a run was
interrupted; what is planned minus what is committed is left to do. Nothing that was generated is made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from typing_extensions import TypedDict

from augkit.core.arithmetic import Arithmetic, DeviceKind
from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import ConfigError, DataError
from augkit.core.section import MOST
from augkit.core.storage import Storage
from augkit.core.typed import NotNegative, from_json, shown
from augkit.shards.index import PLAN_FILE
from augkit.shards.seal import BLANK, is_sealed, is_whole, sealed
from augkit.shards.shard_names import shard_name, split_of

PLAN_FORMAT = 3
UNSEALED_PLAN = 2
"""The format before, without a checksum; it is still read."""

Kind = Literal["real", "generated", "pseudo", "classical", "rendered"]


@dataclass(frozen=True)
class PlanRow:
    """One shard: ``keys`` of real pairs, or how many pairs of ``class_name`` to make.

    A generated row is done as soon as ``want`` candidates are accepted or ``tries`` were tried: its work is bounded,
    and it never holds more than was asked for; so is a ``rendered`` one, whose masks are those of rendered cars.
    ``round`` counts from 0. A pair of kind ``classical`` is made from a
    real one: then ``keys`` names that of each pair. A row of kind ``pseudo`` tries the photos of its ``keys``, which a
    teacher read, one after the other.
    """

    shard: str
    kind: Kind
    class_name: str
    want: NotNegative
    keys: tuple[str, ...] = ()
    tries: NotNegative = 0
    round: NotNegative = 0

    def digest(self, inputs: str, models: Sequence[str]) -> str:
        """Names the row with everything that its bytes depend on; stored in the shard's commit record."""
        return hashlib.sha256(json.dumps([asdict(self), inputs, list(models)]).encode()).hexdigest()


class _WrittenPlan(TypedDict):
    inputs: str
    rows: list[PlanRow]


@dataclass(frozen=True)
class Plan:
    """``inputs`` is the digest of what the rows depend on besides themselves; ``precision`` what stage II computes in,
    empty where the plan does not say (classical pairs need none; plans of earlier versions were made in fp32);
    ``device`` the kind of device that pairs are made on, ``batch`` how many at once."""

    inputs: str
    rows: tuple[PlanRow, ...]
    precision: Arithmetic | Literal[""] = ""
    device: DeviceKind = "cpu"
    batch: int = 1

    @property
    def digest(self) -> str:
        """sha256 of the plan's file."""
        return hashlib.sha256(self._json()).hexdigest()

    @property
    def rounds(self) -> int:
        """Rounds that were planned, the first one with real pairs alone included."""
        return 1 + max((row.round for row in self.rows), default=-1)

    @property
    def begun(self) -> bool:
        """Whether anything is to be made beside the real pairs."""
        return any(row.kind != "real" for row in self.rows)

    def up_to_open_round(self, committed: Collection[str]) -> Plan:
        """The plan up to its first round with a shard that is not among the committed ones.

        A later round rests on results that there are not any more (a model was trained again, a file has gone); the
        same results would give the same rows again.
        """
        open_rounds = [row.round for row in self.rows if row.kind != "real" and row.shard not in committed]
        last = min(open_rounds, default=self.rounds)
        return replace(self, rows=tuple(row for row in self.rows if row.round <= last))

    def with_rows(self, drafts: Iterable[PlanRow], split: str = "train") -> Plan:
        """The plan with more rows, of pairs of one split, which get the next free names."""
        there = sum(split_of(row.shard) == split for row in self.rows)
        named = (replace(row, shard=shard_name(split, number)) for number, row in enumerate(drafts, there))
        return replace(self, rows=(*self.rows, *named))

    def generated(self) -> dict[str, int]:
        """Pairs that the rows ask for beside real ones, by class name."""
        wanted: dict[str, int] = {}
        for row in self.rows:
            if row.kind != "real":
                wanted[row.class_name] = wanted.get(row.class_name, 0) + row.want
        return wanted

    def save(self, storage: Storage) -> None:
        """Writes the plan beside the shards."""
        storage.put(PLAN_FILE, self._json())

    def _json(self) -> bytes:
        said: dict[str, Any] = {"precision": self.precision} if self.precision else {}
        said |= {"device": self.device, "batch": self.batch} if (self.device, self.batch) != ("cpu", 1) else {}
        tree = {"format": PLAN_FORMAT, "inputs": self.inputs, **said, "rows": [asdict(row) for row in self.rows]}
        return sealed(json.dumps({**tree, "checksum": BLANK}, indent=1).encode() + b"\n")


def load_plan(storage: Storage) -> Plan | None:
    """The plan that the shards follow, or None where there are none yet. Raises DataError for a broken one."""
    if not storage.exists(PLAN_FILE):
        return None
    text = storage.read(PLAN_FILE)
    if is_sealed(text) and not is_whole(text):
        raise DataError(
            f"{storage}: {PLAN_FILE} has changed", "the bytes that its checksum was made of",
            f"delete {PLAN_FILE} and run the same command again: it plans anew and keeps the shards that fit",
        )  # fmt: skip
    try:
        tree = from_json(dict[str, Any], text)
        if tree["format"] == PLAN_FORMAT and not is_sealed(text):
            raise ValueError("its checksum is missing")
        if tree["format"] not in (UNSEALED_PLAN, PLAN_FORMAT):
            raise ValueError(f"a plan of format {tree['format']}, this version writes format {PLAN_FORMAT}")
        if (precision := tree.get("precision", "")) not in ["", *get_args(Arithmetic)]:
            raise ValueError(f"a plan in {shown(precision)}, which this version does not compute in")
        device, batch = tree.get("device", "cpu"), tree.get("batch", 1)
        if device not in [*get_args(DeviceKind)] or not (isinstance(batch, int) and 1 <= batch <= MOST):
            raise ValueError(f"batches of {shown(batch)} on {shown(device)}, which this version does not make")
        written = from_json(_WrittenPlan, text)
        return Plan(written["inputs"], tuple(written["rows"]), precision, device, batch)
    except (KeyError, ValueError) as error:
        raise DataError(
            f"{storage}: {PLAN_FILE}: {error}",
            "a plan of this version",
            "--fresh removes these shards and makes new ones",
        ) from error


def digest_of(inputs: Mapping[str, Any]) -> str:
    """sha256 of plain data."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


def reachable(present: Iterable[CarClass], training: Iterable[CarClass], rendered: bool = False) -> list[CarClass]:
    """Classes that pairs can be made of: those ``present``, then those of which there are only mirror images, since
    every photo is trained on flipped as well; then those that can be ``rendered``, which is any with known doors."""
    known = sorted(present)
    known += sorted({car_class.mirror for car_class in training} - set(known))
    drawn = {car_class for car_class in ALL_CLASSES if car_class.doors != "unknown"} if rendered else set()
    return known + sorted(drawn - set(known))


def rare(classes: Iterable[CarClass], training: Mapping[CarClass, int], below: int) -> frozenset[CarClass]:
    """Those with fewer training pairs, mirror images included."""
    return frozenset(c for c in classes if training.get(c, 0) + training.get(c.mirror, 0) < below)


def deficits(
    training: Mapping[CarClass, int], classes: Sequence[CarClass], target: int, only: Sequence[CarClass] = ()
) -> dict[CarClass, int]:
    """Pairs that each class lacks: the target less its real training pairs. Held-out pairs do not count, since no
    segmenter is trained on them. ``only`` limits what is generated.

    Raises ConfigError for a target that is not positive and for a class that no real pair shows, flipped or not.
    """
    if target < 1:
        raise ConfigError(f"--target-per-class {target}", "1 or more", "say how many pairs each class should have")
    strange = [c.name for c in only if c not in classes]
    if strange:
        raise ConfigError(
            f"--only {', '.join(strange)}: no real pair shows it, flipped or not",
            "one of " + ", ".join(c.name for c in classes),
        )
    chosen = only or classes
    return {c: max(0, target - training.get(c, 0)) for c in classes if c in chosen}


def real_plan(inputs: str, keys: Mapping[str, Sequence[str]], shard_size: int) -> Plan:
    """The plan of the real pairs alone, given by split: each split has shards of its own."""
    plan = Plan(inputs, ())
    for split, own in keys.items():
        chunks = (tuple(own[begin : begin + shard_size]) for begin in range(0, len(own), shard_size))
        plan = plan.with_rows((PlanRow("", "real", "", len(chunk), chunk) for chunk in chunks), split)
    return plan


def with_wants(plan: Plan, wants: Mapping[CarClass, int], shard_size: int, kind: Kind) -> Plan:
    """The plan with rows for what it does not ask for yet; of a kind of which every pair is accepted."""
    planned = plan.generated()
    return plan.with_rows(
        PlanRow("", kind, car_class.name, some)
        for car_class, want in wants.items()
        for some in portions(want - planned.get(car_class.name, 0), shard_size)
    )


def portions(want: int, shard_size: int) -> list[int]:
    """Pairs of each shard for so many in all: whole shards, and what is left over."""
    return [min(shard_size, want - begin) for begin in range(0, want, shard_size)]
