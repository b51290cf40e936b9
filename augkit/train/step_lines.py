"""Files of a training that hold a line of JSON for some of its steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from augkit.core.regular_file import ANNOTATIONS, read_regular
from augkit.core.typed import from_json

METRICS = "metrics.jsonl"
_LARGEST = 2**53


def step_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines that can be read and name their step, in their order; none where there is no file.

    What a killed run left half-written, or what was damaged since, is left out: curves may have gaps.
    """
    if not path.is_file():
        return
    for text in read_regular(path, ANNOTATIONS).splitlines():
        try:
            line = from_json(dict[str, Any], text)
        except ValueError:
            continue
        if isinstance(line.get("step"), int) and 0 <= line["step"] < _LARGEST:
            yield line


def last_pace(folder: Path, until: float = math.inf) -> tuple[int, float]:
    """Of the run in a folder: the last step up to ``until`` whose pace was noted, and that pace in seconds a step.

    (0, 0.0) where none was noted.
    """
    noted = (0, 0.0)
    for line in step_lines(folder / METRICS):
        pace = line.get("seconds_per_step")
        if line["step"] <= until and isinstance(pace, int | float) and math.isfinite(pace):
            noted = line["step"], float(pace)
    return noted
