"""What the names of a schema's parts say: side, end and kind of each, and its counterpart on the other side.

Names are read together, since the letters l and r alone say nothing: ``l_eye`` is the left one beside ``r_eye``, but
``l_lip`` without ``r_lip`` is the lower lip. A person's word (``PartOverride``) counts more than a name's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

from augkit.core.part_words import (
    CODES,
    ENDS,
    KINDS,
    LIGHT_ENDS,
    SIDES,
    End,
    Side,
    SideCode,
    Word,
    folded,
    without_gaps,
    words_of,
)

NONE: Literal["none"] = "none"
VALUES: dict[str, tuple[str, ...]] = {"side": get_args(Side), "end": get_args(End), "kind": (*KINDS, NONE)}
"""What an override may say of a part; ``mirror`` is the name of a part."""

_OTHER_SIDE: dict[Side, Side] = {"left": "right", "right": "left", "none": "none"}
_PAIRED = ("door", "mirror", "wheel", "light", "fender")
"""Kinds of which a car has a left and a right one: beside them letters are sides also without a counterpart."""
_SIGNS = {**CODES, "left": SideCode("left", NONE, ("right",)), "right": SideCode("right", NONE, ("left",))}
"""Letters, and left and right glued to an unknown word: what may say a side."""
_PLAIN_CODES = ("lh", "rh", "lhs", "rhs")
"""Letters that are sides beside every other kind, too."""
_END_LETTERS: dict[str, tuple[End, tuple[str, ...]]] = {
    "f": ("front", ("r", "b")), "r": ("rear", ("f",)), "b": ("rear", ("f",)),
    "fr": ("front", ("rr",)), "rr": ("rear", ("fr",)),
}  # fmt: skip
"""Letters that are ends where the schema has the same name with others of them: ``door_f`` and ``door_r``; those of
two (``bumper_fr`` and ``bumper_rr``) only of what a car does not have on either side."""

Outside = Literal["background", "ignore"]
_BACKGROUND = frozenset({"background", "bg"})
_IGNORE = frozenset({"ignore", "ignored", "void", "dontcare"})
_UNLABELLED = frozenset({"unlabeled", "unlabelled"})


@dataclass(frozen=True)
class PartOverride:
    """What a person says of a part; None leaves it to the name. ``mirror`` is its name on the other side of the car,
    its own where a mirrored photo leaves it what it is."""

    side: Side | None = None
    end: End | None = None
    kind: str | None = None
    mirror: str | None = None

    def to_dict(self) -> dict[str, str]:
        """What is said, as plain data."""
        return {key: value for key, value in vars(self).items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PartOverride | None:
        """From plain data that may say more; None where it says nothing here. Raises ValueError for a wrong value."""
        said = {key: data[key] for key in cls.__dataclass_fields__ if data.get(key) is not None}
        for key, value in said.items():
            if not isinstance(value, str) or (key in VALUES and value not in VALUES[key]):
                raise ValueError(f"{key} {value!r}; expected {' or '.join(VALUES.get(key, ('a name',)))}")
        return cls(**said) if said else None


@dataclass(frozen=True)
class PartName:
    """What is known of a part.

    ``mate`` is the place in the schema of what it becomes when the picture is mirrored: its own for a part without a
    side, None for one with a side whose counterpart the schema lacks. ``mirrored`` is the counterpart's name, or what
    it would be; empty where nobody can say. ``words`` are those that say neither side nor end, in order.
    """

    name: str
    side: Side
    end: End
    kind: str
    words: tuple[str, ...]
    mirrored: str
    mate: int | None = None

    @property
    def spelling(self) -> Hashable:
        """The same for all spellings of one name."""
        return self.side, self.end, self.words


def outside_parts(names: Sequence[str]) -> tuple[Outside | None, ...]:
    """Which names of a list are no parts: ``__background__``, ``BG``, ``void``, ``_ignore_``.

    What nobody labelled (``unlabeled``) is the background, unless the list has one beside it: then it is ignored.
    """
    bare = ["".join(letter for letter in folded(name) if letter.isalnum()) for name in names]
    unlabelled: Outside = "ignore" if _BACKGROUND & set(bare) else "background"
    known: dict[str, Outside] = {
        **dict.fromkeys(_BACKGROUND, "background"), **dict.fromkeys(_IGNORE, "ignore"),
        **dict.fromkeys(_UNLABELLED, unlabelled),
    }  # fmt: skip
    return tuple(known.get(name) for name in bare)


def read_names(names: Sequence[str], said: Sequence[PartOverride | None] = ()) -> tuple[PartName, ...]:
    """What is known of each part of a schema, with its mate. ``said`` are the overrides, one a name."""
    said = said or [None] * len(names)
    places = _NameIndex(names)
    read = [_overridden(_read(name, places), word) for name, word in zip(names, said, strict=True)]
    mates = _mates(read, said, places)
    return tuple(
        part if mate is None else replace(part, mate=mate, mirrored=names[mate])
        for part, mate in zip(read, mates, strict=True)
    )


def faults_of(names: Sequence[str], said: Sequence[PartOverride | None]) -> Iterator[tuple[str, str]]:
    """Part and fault of every override that names no part as mirror, or contradicts another's."""
    mirrors = {name: word.mirror for name, word in zip(names, said, strict=True) if word and word.mirror is not None}
    whose = Counter(mirrors.values())
    for name, mirror in mirrors.items():
        if mirror not in names:
            yield name, f"its mirror {mirror!r} is no part"
        elif mirrors.get(mirror, name) != name:
            yield name, f"its mirror is {mirror}, whose mirror is {mirrors[mirror]}"
        elif whose[mirror] > 1:
            yield name, f"its mirror {mirror} is that of another part, too"


class _NameIndex:
    """Where the names of a schema are; a spelling that differs in capitals counts where it is the only one."""

    def __init__(self, names: Sequence[str]) -> None:
        self._exact = {name: place for place, name in enumerate(names)}
        alike = Counter(map(folded, names))
        self._folded = {folded(name): place for place, name in enumerate(names) if alike[folded(name)] == 1}

    def first(self, names: Iterable[str]) -> int | None:
        """The place of the first of these names that there is."""
        found = (self._exact.get(name, self._folded.get(folded(name))) for name in names)
        return next((place for place in found if place is not None), None)


class _SideSign(NamedTuple):
    """Words (by number) that may say a side, and an end with it; the names that the counterpart may have then; and
    whether they say it where the schema has no counterpart, too."""

    words: frozenset[int]
    side: Side
    end: End
    mirrored: tuple[str, ...]
    alone: bool


def _read(name: str, places: _NameIndex) -> PartName:
    words = words_of(name)
    kind = _kind(words)
    letter, letter_end = _end_letter(words, kind, places)
    sign = _side_sign(words, kind, places, letter)
    lights = LIGHT_ENDS if kind == "light" else {}
    ends = (_only_end(words, ENDS), sign.end, letter_end, _only_end(words, lights))
    end = next((end for end in ends if end != NONE), NONE)
    spent = {*sign.words, letter, *(number for number, word in enumerate(words) if word.plain in ENDS | lights)}
    rest = without_gaps(word for number, word in enumerate(words) if number not in spent)
    return PartName(name, sign.side, end, kind, tuple(sorted(rest)), sign.mirrored[0])


def _only_end(words: Sequence[Word], known: Mapping[str, End]) -> End:
    """The end that words say; front and rear in one name say nothing."""
    ends = {known[word.plain] for word in words if word.plain in known}
    return ends.pop() if len(ends) == 1 else NONE


def _kind(words: Sequence[Word]) -> str:
    plain = set(without_gaps(words))
    return next((kind for kind, known in KINDS.items() if plain.intersection(known)), NONE)


def _side_sign(words: Sequence[Word], kind: str, places: _NameIndex, letter: int | None) -> _SideSign:
    """The one that counts: what the schema has a counterpart for, else what needs none."""
    signs = list(_side_signs(words, kind))
    for sign in signs:
        if (place := places.first(sign.mirrored)) is not None:
            return sign._replace(mirrored=(next(name for name in sign.mirrored if places.first([name]) == place),))
    alone = [sign for sign in signs if sign.alone and letter not in sign.words]
    return alone[0] if alone else _SideSign(frozenset(), NONE, NONE, (_spelled(words, {}),), True)


def _side_signs(words: Sequence[Word], kind: str) -> Iterator[_SideSign]:
    """Whole words, or else letters and what is glued to unknown words. Left and right in one name say nothing."""
    sure = [number for number, word in enumerate(words) if word.plain in SIDES and word.sure]
    if sure:
        sides = {SIDES[words[number].plain] for number in sure}
        if len(sides) == 1:
            side = sides.pop()
            mirrored = _spelled(words, dict.fromkeys(sure, _OTHER_SIDE[side]))
            yield _SideSign(frozenset(sure), side, NONE, (mirrored,), True)
        return
    for number, word in enumerate(words):
        if code := _SIGNS.get(word.plain):
            names = tuple(_spelled(words, {number: mate}) for mate in code.mates)
            alone = word.sure and (kind in _PAIRED or (word.plain in _PLAIN_CODES and kind != NONE))
            yield _SideSign(frozenset({number}), code.side, code.end, names, alone)


def _end_letter(words: Sequence[Word], kind: str, places: _NameIndex) -> tuple[int | None, End]:
    """The word that is an end, as the schema has the same name with another such one."""
    for number, word in enumerate(words):
        if word.plain in _END_LETTERS and (len(word.plain) == 1 or kind not in _PAIRED):
            end, others = _END_LETTERS[word.plain]
            if places.first(_spelled(words, {number: other}) for other in others) is not None:
                return number, end
    return None, NONE


def _spelled(words: Sequence[Word], others: Mapping[int, str]) -> str:
    """The name, with other words at some numbers."""
    return "".join((word.replaced(others[n]) if n in others else word).text for n, word in enumerate(words))


def _overridden(part: PartName, said: PartOverride | None) -> PartName:
    if said is None:
        return part
    side, end, kind = said.side or part.side, said.end or part.end, said.kind or part.kind
    mirrored = part.mirrored if side == part.side else part.name if side == NONE else ""
    return replace(part, side=side, end=end, kind=kind, mirrored=mirrored)


def _mates(parts: Sequence[PartName], said: Sequence[PartOverride | None], places: _NameIndex) -> list[int | None]:
    """The mate of each part: as a person says, by the name itself, by another spelling of it, by end and kind."""
    mates: list[int | None] = [None] * len(parts)

    def pair(one: int, other: int) -> None:
        if mates[one] is None and mates[other] is None:
            mates[one], mates[other] = other, one

    for place, word in enumerate(said):
        if word is not None and word.mirror is not None and (other := places.first([word.mirror])) is not None:
            pair(place, other)
    for place, part in enumerate(parts):
        if part.side == NONE:
            pair(place, place)
        elif (other := places.first([part.mirrored])) is not None and parts[other].side == _OTHER_SIDE[part.side]:
            pair(place, other)
    told = [place for place, word in enumerate(said) if word is not None and word.side is not None]
    for one, other in _only_matches(parts, [n for n in range(len(parts)) if mates[n] is None], _by_words):
        pair(one, other)
    for one, other in _only_matches(parts, [n for n in told if mates[n] is None], _by_kind):
        pair(one, other)
    return mates


def _by_words(part: PartName) -> Hashable:
    return part.end, part.words


def _by_kind(part: PartName) -> Hashable:
    return None if part.kind == NONE else (part.end, part.kind)


def _only_matches(
    parts: Sequence[PartName], among: Sequence[int], key: Callable[[PartName], Hashable]
) -> Iterator[tuple[int, int]]:
    """Left and right parts that alone have a key, which is not None."""
    places: dict[Hashable, dict[Side, list[int]]] = {}
    for place in among:
        places.setdefault(key(parts[place]), {}).setdefault(parts[place].side, []).append(place)
    for found, by_side in places.items():
        left, right = by_side.get("left", []), by_side.get("right", [])
        if found is not None and len(left) == len(right) == 1:
            yield left[0], right[0]
