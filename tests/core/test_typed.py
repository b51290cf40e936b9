from __future__ import annotations

from dataclasses import dataclass

import pytest

from augkit.core.inside import Id
from augkit.core.typed import NotNegative, from_json, from_plain, shown


@dataclass(frozen=True)
class Named:
    id: Id
    count: NotNegative = 0


def test_what_fits_becomes_an_instance() -> None:
    assert from_json(list[Named], b'[{"id": "a", "count": 3}, {"id": "b", "new": 1}]') == [Named("a", 3), Named("b")]
    assert from_plain(Named, {"id": "a"}) == Named("a")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'[{"id": "../x"}]', "0.id"), (b'[{"id": null}]', "0.id"), (b'[{"count": 1}]', "0.id"), (b"null", "array"),
        (b'[{"id": "a", "count": "3"}]', "0.count"), (b'[{"id": "a", "count": true}]', "0.count"),
        (b'[{"id": "a", "count": 1e400}]', "0.count"), (b'[{"id": "a", "count": -1}]', "0.count"),
        (b'[{"id": "a", "count": ' + b"9" * 5000 + b"}]", "out of range"), (b"[" * 100_000, "recursion"),
        (b'[{"id": "a\xff"}]', "unicode"), (b"", "EOF"),
    ],
)  # fmt: skip
def test_what_does_not_is_named(text: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        from_json(list[Named], text)
    assert len(str(error.value)) < 500


def test_values_are_shown_in_a_line() -> None:
    assert shown("a") == "'a'" and shown(10**5000) == "a very large int" and len(shown("x" * 999)) < 99
