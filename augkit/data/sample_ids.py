"""Ids of a data set's samples: names for files, unique, made from the names of the photos."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

_LONGEST = 80


def ids_of(source_files: Iterable[str]) -> list[str]:
    """Ids for a data set's photos: the file's name in letters, digits, ``-`` and ``_``, without folder and suffix.

    A hash of the whole path follows where the name alone would be ambiguous (also on file systems that ignore
    case), too long, or loses letters; a number follows where even the path occurs twice.
    """
    return list(Ids(list(source_files)))


class Ids(Iterable[str]):
    """``ids_of`` a list of files, each made when it is asked for; in memory are only those that are ambiguous."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self._shared: frozenset[int] = frozenset()
        self._shared = _repeated(id_key(_slug(file)[0].lower()) for file in files)
        self._again = _repeated(id_key(self._id(file)) for file in files)

    def __iter__(self) -> Iterator[str]:
        seen: Counter[str] = Counter()
        for file in self._files:
            id = self._id(file)
            if id_key(id) in self._again:
                seen[id] += 1
            yield id if seen[id] < 2 else f"{id}-{seen[id]}"

    def _id(self, file: str) -> str:
        slug, exact = _slug(file)
        if exact and id_key(slug.lower()) not in self._shared:
            return slug
        return f"{slug}-{hashlib.sha256(file.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"


def id_key(id: str) -> int:
    """64 bits that stand for an id where many have to be remembered."""
    return int.from_bytes(hashlib.blake2b(id.encode(), digest_size=8).digest(), "big")


def _repeated(keys: Iterable[int]) -> frozenset[int]:
    values, counts = np.unique(np.asarray(array("Q", keys)), return_counts=True)
    return frozenset(values[counts > 1].tolist())


def _slug(file: str) -> tuple[str, bool]:
    """A name fit for every file system, and whether it still says all that the file's name did."""
    name = re.split(r"[/\\]", file)[-1]
    stem = name.rpartition(".")[0] or name
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:_LONGEST]
    return slug or "photo", slug == stem
