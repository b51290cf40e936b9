"""Files below a folder, found by the paths that other machines and tools wrote for them."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from urllib.parse import unquote

_FEW = 8  # names that are compared one by one


def folded(name: str) -> str:
    """What two spellings of a name share: URL-quoted or not, capitals or not, either form of accents in Unicode."""
    return unicodedata.normalize("NFC", unquote(name).casefold())


def readings(written: str) -> list[str]:
    """The paths that a written one may mean, with ``/``: as it stands, unquoted (twice, too: some tools quote what is
    quoted, and a file's own name may look quoted), without a URL's query and fragment.

    A query's values are paths, too: ``/data/local-files/?d=cars/1.jpg``.
    """
    plain = written.strip().replace("\\", "/")
    address, _, query = plain.partition("#")[0].partition("?")
    values = (unquote(part.partition("=")[2]).replace("\\", "/") for part in query.split("&"))
    once = unquote(plain)
    found = (plain, once, unquote(once), address, unquote(address), *values)
    return list(dict.fromkeys(path for path in found if path))


class FileNames:
    """Paths below a folder, with ``/``, to be found by a tail of the path that somebody else had."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        self._by_tail: dict[int, dict[tuple[str, ...], list[str]]] = {}

    def __len__(self) -> int:
        return len(self._names)

    def find(self, written: Iterable[str]) -> list[str]:
        """The paths that share the longest tail with what is written: none, one, or several that nothing tells apart.

        The file's name has to agree, as ``folded`` sees it; of equally long tails the one spelt as written counts.
        """
        scores: dict[str, tuple[int, int]] = {}
        for path in (path for text in written for path in readings(text)):
            words = path.split("/")
            for name in self._near(words):
                score = _shared(_folded_words(path), _folded_words(name)), _shared(words, name.split("/"))
                scores[name] = max(score, scores.get(name, score))
        best = max(scores.values(), default=None)
        return sorted(name for name, score in scores.items() if score == best)

    def like(self, written: str) -> str:
        """A path whose name differs in its suffix alone; empty where there is none."""
        return next((self._by_stem[stem] for stem in map(_stem, readings(written)) if stem in self._by_stem), "")

    @cached_property
    def _by_stem(self) -> dict[str, str]:
        return {_stem(name): name for name in reversed(self._names)}

    def _near(self, words: Sequence[str]) -> Sequence[str]:
        """Paths of the name; where they are many, those of them that share more of the tail."""
        found: Sequence[str] = ()
        for length in range(1, len(words) + 1):
            closer = self._tails(length).get(tuple(map(folded, words[-length:])))
            if not closer:
                break
            found = closer
            if len(found) <= _FEW:
                break
        return found

    def _tails(self, length: int) -> dict[tuple[str, ...], list[str]]:
        """Paths by their last words. Those longer than one are needed only where names are many."""
        if length not in self._by_tail:
            tails: dict[tuple[str, ...], list[str]] = defaultdict(list)
            for name in self._names:
                tails[tuple(map(folded, name.split("/")[-length:]))].append(name)
            self._by_tail[length] = dict(tails)
        return self._by_tail[length]


@lru_cache(maxsize=4096)
def _folded_words(path: str) -> tuple[str, ...]:
    return tuple(map(folded, path.split("/")))


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words two paths share at their ends."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def _stem(name: str) -> str:
    return PurePosixPath(folded(name)).stem
