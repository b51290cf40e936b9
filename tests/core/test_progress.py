from __future__ import annotations

from augkit.core.progress import prefixed, renamed


def test_work_is_told_of_under_another_name() -> None:
    told: list[tuple[str, int, int]] = []
    progress = renamed(lambda *about: told.append(about), "outer")
    progress("inner", 1, 2)
    assert told == [("outer", 1, 2)]


def test_works_that_call_themselves_alike_are_told_apart() -> None:
    told: list[tuple[str, int, int]] = []
    progress = prefixed(lambda *about: told.append(about), "16 labels, ")
    progress("inner", 1, 2)
    assert told == [("16 labels, inner", 1, 2)]
