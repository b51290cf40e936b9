"""Putting new versions of committed shards in place, all of them or none.

They are written below ``staged/`` first. A marker says that all are there; then they are copied over the old ones. What
is killed before the marker leaves the old shards, what is killed after it is completed by the next ``settle``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from augkit.core.storage import Storage
from augkit.shards.commit import aside_file, commit_file, tar_file
from augkit.shards.index import MANIFEST_FILE, Manifest, load_manifest, withdraw

FOLDER = "staged"
READY = f"{FOLDER}/ready"


@dataclass(frozen=True)
class Staged:
    """The storage seen from the folder of what is staged; what a ``ShardWriter`` writes to."""

    whole: Storage

    def put(self, name: str, data: bytes) -> None:
        """See ``Storage``."""
        self.whole.put(f"{FOLDER}/{name}", data)

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """See ``Storage``."""
        return self.whole.read(f"{FOLDER}/{name}", offset, length)

    def names(self) -> list[str]:
        """See ``Storage``."""
        return sorted(self.sizes())

    def sizes(self, below: str = "") -> dict[str, int]:
        """See ``Storage``."""
        start = f"{FOLDER}/"
        listed = self.whole.sizes(f"{start}{below}".rstrip("/"))
        return {name.removeprefix(start): size for name, size in listed.items()}

    def exists(self, name: str) -> bool:
        """See ``Storage``."""
        return self.whole.exists(f"{FOLDER}/{name}")

    def remove(self, name: str) -> None:
        """See ``Storage``."""
        self.whole.remove(f"{FOLDER}/{name}")


def publish(storage: Storage) -> None:
    """Puts all that is staged in place. The manifest goes first: nobody reads the shards until ``finish``."""
    storage.put(READY, b"")
    settle(storage)


def settle(storage: Storage) -> None:
    """Completes a ``publish`` that was interrupted, and removes what was staged without one."""
    staged = Staged(storage)
    names = [name for name in staged.names() if name != MANIFEST_FILE]
    if storage.exists(READY):
        withdraw(storage)
        commits = [PurePosixPath(name).stem for name in names if name.startswith("commits/")]
        for shard in commits:
            _replace(storage, staged, shard)
        storage.remove(READY)
    for name in names:
        staged.remove(name)


def last_manifest(storage: Storage) -> Manifest:
    """The manifest, or the one that was withdrawn by who was killed before it was written again. Raises ShardError."""
    staged = Staged(storage)
    kept = not storage.exists(MANIFEST_FILE) and staged.exists(MANIFEST_FILE)
    return load_manifest(staged if kept else storage)


def _replace(storage: Storage, staged: Staged, shard: str) -> None:
    storage.remove(commit_file(shard))  # no commit record may outlive the tars that it speaks of
    for file in (tar_file(shard), aside_file(shard)):
        if staged.exists(file):
            storage.put(file, staged.read(file))
        else:
            storage.remove(file)
    storage.put(commit_file(shard), staged.read(commit_file(shard)))
