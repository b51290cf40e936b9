from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from augkit.cli._app import main
from augkit.cli._log import close_log, open_log
from augkit.cli._manner import MANNER, Manner
from augkit.cli._progress import Bars, Lines
from augkit.core.duration import words
from tests.cli.test_app import Command


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """What a test opens is closed."""
    yield
    close_log()


@pytest.fixture
def manner() -> Iterator[None]:
    """A manner that a test chooses ends with it."""
    before = MANNER.set("auto")
    yield
    MANNER.reset(before)


def work(steps: int = 4) -> None:
    with Bars() as bars:
        bars("work", 1, 2)
        bars("work", steps, steps)


def test_a_bar_goes_to_stderr_and_follows_a_total_that_grows(capsys: pytest.CaptureFixture[str], manner: None) -> None:
    MANNER.set("bar")
    work(3)
    out, err = capsys.readouterr()
    assert out == "" and "work" in err and "3/3" in err and "━" in err


def test_off_a_terminal_lines_are_said(capsys: pytest.CaptureFixture[str], manner: None) -> None:
    work(3)
    out, err = capsys.readouterr()
    assert out == "" and " work: 3/3 (100%)" in err and "━" not in err


@pytest.mark.parametrize("choice", ["auto", "plain", "none", "bar"])
def test_only_the_process_that_speaks_for_all_shows_anything(
    capsys: pytest.CaptureFixture[str], manner: None, monkeypatch: pytest.MonkeyPatch, choice: Manner
) -> None:
    MANNER.set(choice)
    work()
    assert bool(capsys.readouterr().err) == (choice != "none")
    monkeypatch.setenv("RANK", "1")
    work()
    assert capsys.readouterr().err == ""


def said_by_lines(steps: int, seconds: float, first: int = 1) -> list[str]:
    """The lines about so many steps of so many seconds."""
    said: list[str] = []
    now = [0.0]
    lines = Lines(said.append, clock=lambda: now[0])
    for step in range(first, steps + 1):
        lines("train", step, steps)
        now[0] += seconds
    return said


def test_a_line_every_thirty_seconds_of_slow_work() -> None:
    said = said_by_lines(100, 10.0)
    assert said[0] == "train: 4/100 (4%), 10 s each, 16 min left"
    assert len(said) == 33 and said[-1].startswith("train: 100/100 (100%)") and "took 16 min" in said[-1]


def test_a_line_every_five_percent_of_fast_work_but_not_more_often_than_one_can_read() -> None:
    assert [line.split()[1] for line in said_by_lines(200, 0.2)][:3] == ["11/200", "21/200", "31/200"]
    assert said_by_lines(200, 0.001) == ["train: 200/200 (100%), 1e+03/s, took 0 s"]


def test_a_run_that_goes_on_is_not_taken_for_a_fast_one() -> None:
    assert said_by_lines(1000, 1.0, first=901)[0] == "train: 931/1000 (93%), 1 s each, 69 s left"


def test_work_of_a_name_that_begins_anew_has_a_pace_of_its_own(manner: None, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    now = [0.0]
    lines = Lines(said.append, clock=lambda: now[0])
    for _ in range(2):
        for step in range(1, 11):
            lines("train", step, 10)
            now[0] += 10.0
        now[0] += 1000.0
    assert said[len(said) // 2 - 1] == said[-1] == "train: 10/10 (100%), 10 s each, took 2 min"
    resets: list[object] = []
    monkeypatch.setattr("rich.progress.Progress.reset", lambda bars, task: resets.append(task))
    MANNER.set("bar")
    with Bars() as bars:
        for done in (1, 2, 2, 1, 2):
            bars("work", done, 2)
    assert len(resets) == 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.4, "4 s"), (89, "89 s"), (600, "10 min"), (12000, "3 h 20 min"), (200000, "2 d 7 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert words(seconds) == text


def test_the_log_file_has_progress_warnings_and_errors(
    augkit: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "logs" / "run.log"
    for _ in range(2):  # added to, never replaced
        assert augkit("classes", "-w", tmp_path, "--log-file", file)[0] == 3
    assert file.read_text().count("no catalogue here") == 2
    open_log(file)
    work(5)
    logging.getLogger("augkit.train.health").warning("D guessed")
    close_log()
    logging.getLogger("augkit.train.health").warning("after it")
    text = file.read_text()
    assert "work: 5/5" in text and "D guessed" in text and "after it" not in text
    assert "D guessed" in capsys.readouterr().err


def test_a_manner_that_is_not_there(augkit: Command) -> None:
    code, _, err = augkit("classes", "--progress", "plian")
    assert code == 2 and "did you mean plain?" in err


def test_nothing_is_buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "argv", ["augkit", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert stream.line_buffering
