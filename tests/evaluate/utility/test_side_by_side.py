"""Work in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from augkit.core.errors import DataError
from augkit.evaluate.utility.side_by_side import side_by_side

PATIENCE = 300.0
"""Seconds; the units of the test that is interrupted would take twice as long."""

ENDLESS = """
import sys
from pathlib import Path
from augkit.cli._signals import Interrupts
from augkit.evaluate.utility.side_by_side import side_by_side
from tests.evaluate.utility.test_side_by_side import stay
if __name__ == "__main__":
    with Interrupts():
        side_by_side(2, stay, [Path(sys.argv[1]) / name for name in "abcdef"], "rests", lambda name, done, total: None)
"""


def stay(place: Path) -> None:
    place.write_text("half")
    try:
        time.sleep(2 * PATIENCE)
    finally:
        place.unlink()


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


def test_an_interrupt_ends_the_units_that_have_begun(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + PATIENCE
    while len(list(tmp_path.iterdir())) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.terminate()
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode and b"KeyboardInterrupt" in errors
    assert not list(tmp_path.iterdir())  # no other unit was begun, and what was half written is taken back
