"""What shards are called: a tar holds pairs of one split, so that readers which take tars as they come (webdataset, HF
datasets) choose a split by a pattern of names."""

from __future__ import annotations

import re

NAMES = {"train": "shard", "val": "val", "test": "test"}
"""The word before the number, by split."""

_SHARD = re.compile(rf"({'|'.join(NAMES.values())})-\d+")


def shard_name(split: str, number: int) -> str:
    """``shard-000000`` of the split for training, ``val-000000`` and ``test-000000`` of the others."""
    return f"{NAMES[split]}-{number:06d}"


def split_of(shard: str) -> str:
    """The split of the pairs in a shard of this name."""
    return next((split for split, word in NAMES.items() if shard.startswith(f"{word}-")), "train")


def is_shard(name: str) -> bool:
    """Whether a shard may have this name."""
    return _SHARD.fullmatch(name) is not None
