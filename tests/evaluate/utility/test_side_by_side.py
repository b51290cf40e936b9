"""Work in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from augkit.core.errors import DataError
from augkit.evaluate.utility.side_by_side import side_by_side


def leave_a_file(place: Path) -> None:
    if place.name == "bad":
        raise DataError("a bad place", "a good one", "choose another")
    place.write_text(str(os.getpid()))


def test_all_units_are_done_elsewhere_and_an_error_comes_back(tmp_path: Path) -> None:
    told: list[int] = []
    side_by_side(
        2, leave_a_file, [tmp_path / "a", tmp_path / "b"], "files", lambda name, done, total: told.append(done)
    )
    assert told == [0, 1, 2]
    assert str(os.getpid()) not in {(tmp_path / name).read_text() for name in "ab"}
    with pytest.raises(DataError, match="a bad place") as caught:
        side_by_side(2, leave_a_file, [tmp_path / "bad"], "files", lambda name, done, total: None)
    assert caught.value.remedy == "choose another"
    side_by_side(1, leave_a_file, [tmp_path / "c"], "files", lambda name, done, total: None)
    assert not (tmp_path / "c").exists()  # left to who asked
