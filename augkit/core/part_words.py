"""The words of a part's name, however it is spelled: ``FrontLeftDoor``, ``front door LH``, ``front_leftdoor``."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Literal, NamedTuple

Side = Literal["left", "right", "none"]
End = Literal["front", "rear", "none"]

KINDS: dict[str, tuple[str, ...]] = {
    "door": ("door",),
    "mirror": ("mirror",),
    "wheel": ("wheel", "tire", "tyre", "rim"),
    "light": ("light", "lamp"),
    "bumper": ("bumper",),
    "hood": ("hood", "bonnet"),
    "grille": ("grille", "grill"),
    "windshield": ("windshield", "windscreen"),
    "trunk": ("trunk", "boot", "tailgate", "liftgate", "hatch"),
    "glass": ("glass", "window"),
    "fender": ("fender", "quarter", "wing", "panel", "sill", "rocker"),
}
"""Kinds of parts and their words. The first kind that has a word of the name decides: a wing mirror is a mirror."""

SIDES: dict[str, Side] = {"left": "left", "right": "right"}
ENDS: dict[str, End] = {"front": "front", "fore": "front", "back": "rear", "rear": "rear", "hind": "rear"}
LIGHT_ENDS: dict[str, End] = {"head": "front", "tail": "rear"}
"""Words that say an end in the name of a light."""

_OTHERS = frozenset({"side", "hand", "roof", "plate", "handle", "cover", "cap", "hub", "fog", "turn", "number"})
"""Words that say nothing here, and that people glue to those which do."""
_KIND_WORDS = frozenset(word for words in KINDS.values() for word in words)
_VOCABULARY = frozenset({*SIDES, *ENDS, *LIGHT_ENDS, *_OTHERS, *_KIND_WORDS})


class SideCode(NamedTuple):
    """Letters for a side, or for an end and a side; ``mates`` are what the other side may be called then."""

    side: Side
    end: End
    mates: tuple[str, ...]


CODES = {
    "l": SideCode("left", "none", ("r",)), "r": SideCode("right", "none", ("l",)),
    "lh": SideCode("left", "none", ("rh",)), "rh": SideCode("right", "none", ("lh",)),
    "lhs": SideCode("left", "none", ("rhs",)), "rhs": SideCode("right", "none", ("lhs",)),
    "lt": SideCode("left", "none", ("rt",)), "rt": SideCode("right", "none", ("lt",)),
    "fl": SideCode("left", "front", ("fr",)), "fr": SideCode("right", "front", ("fl",)),
    "lf": SideCode("left", "front", ("rf",)), "rf": SideCode("right", "front", ("lf",)),
    "rl": SideCode("left", "rear", ("rr",)), "lr": SideCode("left", "rear", ("rr",)),
    "rr": SideCode("right", "rear", ("rl", "lr")),
    "bl": SideCode("left", "rear", ("br",)), "br": SideCode("right", "rear", ("bl",)),
    "lb": SideCode("left", "rear", ("rb",)), "rb": SideCode("right", "rear", ("lb",)),
}  # fmt: skip


@dataclass(frozen=True)
class Word:
    """A stretch of a name: ``text`` as it is spelled, ``plain`` in small letters without accents and plural.

    ``plain`` is empty for what stands between words. ``sure`` is False for a left or right that is glued to letters
    which are no known word: ``leftover``, ``bright``.
    """

    text: str
    plain: str = ""
    sure: bool = True

    def replaced(self, plain: str) -> Word:
        """Another word in its place, with capitals where this one has them."""
        if self.text.isupper():
            return Word(plain.upper(), plain, self.sure)
        return Word(plain.capitalize() if self.text[:1].isupper() else plain, plain, self.sure)


def folded(name: str) -> str:
    """The name in one of the forms that Unicode has for it, in small letters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def words_of(name: str) -> tuple[Word, ...]:
    """The words of a name and what stands between them; joined, their texts are the name (in Unicode's form NFKC)."""
    runs = groupby(unicodedata.normalize("NFKC", name), _sort)
    return tuple(word for sort, run in runs for word in _of_run(sort, "".join(run)))


def without_gaps(words: Iterable[Word]) -> list[str]:
    """The plain words; two that are one in the vocabulary are one here: ``tail gate``."""
    joined: list[str] = []
    for word in words:
        if joined and word.plain and joined[-1] + word.plain in _KIND_WORDS:
            joined[-1] += word.plain
        elif word.plain:
            joined.append(word.plain)
    return joined


def _sort(letter: str) -> str:
    if letter.isalpha() or unicodedata.combining(letter):
        return "letters"
    return "digits" if letter.isdigit() else "between"


def _of_run(sort: str, run: str) -> list[Word]:
    if sort != "letters":
        return [Word(run, run if sort == "digits" else "")]
    humps = _humps(run)
    known = [_known_words(hump) for hump in humps]
    whole = _known_words(run)
    if whole and (not all(known) or len(whole) < sum(map(len, known))):  # LeFtDoOr; RLdoor
        return whole
    return [word for hump, words in zip(humps, known, strict=True) for word in words or _unknown_words(hump)]


def _humps(run: str) -> list[str]:
    """The pieces of camel case: ``FrontLeftDoor``, ``doorLH``, ``LHDoor``."""
    cuts = [0]
    for place in range(1, len(run)):
        before, letter, after = run[place - 1], run[place], run[place + 1 : place + 2]
        if letter.isupper() and (before.islower() or (before.isupper() and after.islower())):
            cuts.append(place)
    return [run[start:stop] for start, stop in zip(cuts, [*cuts[1:], len(run)], strict=True)]


def _plain(text: str) -> str:
    bases = (unicodedata.normalize("NFD", letter)[0] for letter in text if not unicodedata.combining(letter))
    return "".join(bases).lower()


def _known_words(text: str) -> list[Word]:
    """The words that a piece is, or is made of; empty where it is not all known words."""
    plain = _plain(text)
    if len(plain) != len(text):
        return []
    lengths = [len(piece) for piece in _with_code(plain)]
    ends = [sum(lengths[: place + 1]) for place in range(len(lengths))]
    pieces = [text[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    return [Word(piece, _singular(_plain(piece))) for piece in pieces]


def _unknown_words(text: str) -> list[Word]:
    """One word, or a left or right and the rest."""
    plain = _plain(text)
    for side in SIDES if len(plain) == len(text) else ():
        cut = len(side)
        if plain.startswith(side):
            return [Word(text[:cut], side, sure=False), Word(text[cut:], plain[cut:])]
        if plain.endswith(side):
            return [Word(text[:-cut], plain[:-cut]), Word(text[-cut:], side, sure=False)]
    return [Word(text, plain)]


def _with_code(plain: str) -> tuple[str, ...]:
    """Known words, with a code before or behind them: ``doorfl``. Empty where it is something else."""
    if plain in CODES:
        return (plain,)
    if glued := _glued(plain):
        return glued
    for code in sorted(CODES, key=len, reverse=True):
        if plain.startswith(code) and (rest := _glued(plain[len(code) :])):
            return (code, *rest)
        if plain.endswith(code) and (rest := _glued(plain[: -len(code)])):
            return (*rest, code)
    return ()


@lru_cache(maxsize=1024)
def _glued(plain: str) -> tuple[str, ...]:
    """The words of the vocabulary that a text is made of, long ones first; empty where there are none such."""
    for end in range(len(plain), 0, -1):
        if _singular(plain[:end]) in _VOCABULARY:
            if end == len(plain):
                return (plain,)
            if rest := _glued(plain[end:]):
                return (plain[:end], *rest)
    return ()


def _singular(plain: str) -> str:
    endings = ("es", "s") if plain not in _VOCABULARY else ()
    found = (plain.removesuffix(ending) for ending in endings if plain.endswith(ending))
    return next((word for word in found if word in _VOCABULARY and word not in {**SIDES, **ENDS}), plain)
