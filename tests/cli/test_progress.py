from __future__ import annotations

import pytest

from augkit.cli._progress import Bars


def test_a_bar_goes_to_stderr_and_follows_a_total_that_grows(capsys: pytest.CaptureFixture[str]) -> None:
    with Bars() as bars:
        bars("work", 1, 2)
        bars("work", 3, 4)
    out, err = capsys.readouterr()
    assert out == "" and "work" in err and "3/4" in err
