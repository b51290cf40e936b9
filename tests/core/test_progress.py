from __future__ import annotations

from augkit.core.progress import renamed


def test_work_is_told_of_under_another_name() -> None:
    told: list[tuple[str, int, int]] = []
    progress = renamed(lambda *about: told.append(about), "outer")
    progress("inner", 1, 2)
    assert told == [("outer", 1, 2)]
