"""Lines that a training noted: what is damaged is left out, whoever reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from augkit.train.step_lines import METRICS, last_pace, step_lines

GOOD = [{"step": 1, "seconds_per_step": 9.0, "G/l1": 1.0}, {"step": 10, "seconds_per_step": 0.5, "G/l1": 0.25}]


@pytest.mark.parametrize(
    "bad",
    [b'{"step": 5, "G/l1": 1 "x": 2}', b"[1, 2]", b'"step"', b'{"step": "5"}', b'{"step": -1}', b'{"step": 1e400}',
     b'{"G/l1": 1}', b"\xff\xfe", b"", b'{"step": 11, "G/l', b"[" * 9000],
)  # fmt: skip
def test_what_cannot_be_read_is_left_out_and_the_rest_is_not(tmp_path: Path, bad: bytes) -> None:
    first, last = (json.dumps(line).encode() for line in GOOD)
    (tmp_path / METRICS).write_bytes(b"\n".join([first, bad, last]) + b"\n" + bad)
    assert list(step_lines(tmp_path / METRICS)) == GOOD
    assert last_pace(tmp_path) == (10, 0.5)


def test_the_pace_of_a_run_is_its_last_up_to_a_step(tmp_path: Path) -> None:
    assert last_pace(tmp_path) == (0, 0.0)
    (tmp_path / METRICS).write_text("".join(json.dumps(line) + "\n" for line in [*GOOD, {"step": 12}]))
    assert last_pace(tmp_path) == (10, 0.5) and last_pace(tmp_path, 9) == (1, 9.0) and last_pace(tmp_path, 0)[0] == 0
