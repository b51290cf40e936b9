"""A study: single bits of a data set are flipped, and `verify` and `ShardDataset` are asked whether they notice.

    python -m tests.shards.bit_flips --flips 100
    python -m tests.shards.bit_flips --flips 100 WORKSPACE/shards

Every kind of file gets an equal share of the flips, wherever in it. A flip that a data set does not notice is one that
it does not hand out, else the study fails as it does where `verify` misses one; the exit code is 1 then.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from augkit.balance.plan import real_plan
from augkit.core.errors import AugkitError
from augkit.core.storage import LocalStorage
from augkit.shards.card import CARD_FILE
from augkit.shards.index import finish, load_manifest
from augkit.shards.reader import ShardDataset
from augkit.shards.verify import verify
from tests.shards.pairs import write_dataset

Handed = list[tuple[bytes, bytes]]


@dataclass
class Tally:
    """Flips of a kind of file: how many, how many `verify` found, and what a data set did."""

    tried: int = 0
    found: int = 0
    noticed: int = 0
    wrong: list[str] = field(default_factory=list)


def kinds(storage: LocalStorage) -> dict[str, list[str]]:
    """The files of a data set by kind, but for the card, which is people's to edit."""
    found: dict[str, list[str]] = {}
    for name in storage.names():
        if name != CARD_FILE:
            folder, _, last = name.rpartition("/")
            found.setdefault(folder or ("tar" if last.endswith(".tar") else last), []).append(name)
    return found


def flips(storage: LocalStorage, count: int, seed: int) -> Iterator[tuple[str, str, int]]:
    """So many flips: the kind of file, the file, and which of its bits."""
    random, by_kind = np.random.default_rng(seed), sorted(kinds(storage).items())
    for number in range(count):
        kind, names = by_kind[number % len(by_kind)]
        name = names[int(random.integers(len(names)))]
        yield kind, name, int(random.integers(8 * storage.path(name).stat().st_size))


def study(storage: LocalStorage, count: int, seed: int) -> Mapping[str, Tally]:
    """What was found of so many flips. The data set is whole again afterwards."""
    assert verify(storage) == [], "a data set without faults to begin with"
    whole, tallies = handed_out(storage), dict[str, Tally]()
    for kind, name, bit in flips(storage, count, seed):
        before = storage.read(name)
        damaged = bytearray(before)
        damaged[bit // 8] ^= 1 << bit % 8
        storage.put(name, bytes(damaged))
        tally = tallies.setdefault(kind, Tally())
        tally.tried += 1
        tally.found += any(fault.file in (name, "manifest.json", "index.parquet") for fault in verify(storage))
        try:
            if handed_out(storage) != whole:
                tally.wrong.append(f"{name}, bit {bit}")
        except AugkitError:
            tally.noticed += 1
        storage.put(name, before)
    return tallies


def handed_out(storage: LocalStorage) -> Handed:
    """All that a data set gives."""
    data = ShardDataset(storage.root)
    return [data.raw(index) for index in range(len(data))]


def small_dataset(folder: Path) -> LocalStorage:
    """Three shards with a plan, everything that a folder of shards can have in it."""
    storage = LocalStorage(folder)
    manifest, _ = write_dataset(storage)
    plan = real_plan("inputs", {"train": ["real-0", "real-1"]}, 2)
    plan.save(storage)
    finish(storage, [shard.name for shard in manifest.shards], manifest.schema, plan.digest, manifest.versions)
    assert load_manifest(storage).plan_digest == plan.digest
    return storage


def show(tallies: Mapping[str, Tally]) -> bool:
    """Prints the figures; whether all is as promised."""
    print(f"{'file':16}{'flips':>7}{'verify found':>14}{'data set noticed':>18}{'handed out wrong':>18}")
    for kind, tally in tallies.items():
        print(f"{kind:16}{tally.tried:7}{tally.found:14}{tally.noticed:18}{len(tally.wrong):18}")
    tried, found = (sum(getattr(tally, name) for tally in tallies.values()) for name in ("tried", "found"))
    print(f"verify found {found} of {tried}")
    return found == tried and not any(tally.wrong for tally in tallies.values())


def main(arguments: Sequence[str]) -> int:
    """Makes or copies a data set, flips, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", nargs="?", type=Path, help="a folder of shards; by default one is made")
    parser.add_argument("--flips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "shards"
        storage = LocalStorage(shutil.copytree(options.shards, place)) if options.shards else small_dataset(place)
        return 0 if show(study(storage, options.flips, options.seed)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
