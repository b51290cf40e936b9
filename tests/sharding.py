"""Pairs of several splits into shards, as tests write them."""

from __future__ import annotations

from typing import Any

from augkit.core.storage import Storage
from augkit.shards.shard_names import NAMES, shard_name
from augkit.shards.writer import PairRecord, ShardWriter


class SplitWriters:
    """The first shard of every split that pairs are added of."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.writers: dict[str, ShardWriter] = {}

    def add(self, record: PairRecord, *encoded: Any) -> None:
        name = shard_name(record.split, 0)
        self.writers.setdefault(record.split, ShardWriter(self.storage, name)).add(record, *encoded)

    def commit(self, digest: str) -> list[str]:
        """Their names, those of the training split first."""
        for writer in self.writers.values():
            writer.commit(digest)
        return [shard_name(split, 0) for split in NAMES if split in self.writers]
