"""A seeded sample of ``python -m tests.fuzz``, and what tries its inputs tried itself."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.fuzz.sweep import sweep
from tests.fuzz.trial import Act, try_input

SAMPLE = 50


@pytest.mark.slow
def test_a_sample_of_hostile_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed = sweep(tmp_path, SAMPLE)
    assert [f"{verdict.name}: {verdict.fault}" for verdict in failed] == []
    assert "importers" in capsys.readouterr().out


def fail(folder: Path) -> int:
    raise ZeroDivisionError(folder.name)


def write_outside(folder: Path) -> int:
    (folder.parent / "outside" / "x.png").unlink()
    return 0


def take_memory(folder: Path) -> int:
    return len(bytearray(2**32)) and 0


def start(folder: Path) -> int:
    return subprocess.run(["true"], check=False).returncode


@pytest.mark.parametrize(
    ("act", "fault"),
    [
        (lambda folder: 0, ""), (lambda folder: 3, ""), (lambda folder: 70, "code 70"), (fail, "ZeroDivisionError"),
        (write_outside, "touched what lies outside"), (take_memory, "MemoryError"), (start, "a program was started"),
        (lambda folder: os.kill(os.getpid(), 9) or 0, "signal 9"),  # type: ignore[func-returns-value]
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(act: Act, fault: str, tmp_path: Path) -> None:
    verdict = try_input("own", act, tmp_path / "place")
    assert (fault in verdict.fault) if fault else not verdict.fault
    assert (tmp_path / "place").exists() == bool(fault)


def test_what_waits_for_ever_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fuzz.trial.WAIT", 0.2)
    began = time.monotonic()
    assert "signal 9" in try_input("own", lambda folder: time.sleep(60) or 0, tmp_path / "place").fault  # type: ignore[func-returns-value]
    assert time.monotonic() - began < 30
