"""What the trainings recorded, as small charts: one a loss, and the distances with the chosen checkpoint marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from augkit.core.errors import CheckpointError
from augkit.train.model_folder import load_description
from augkit.train.selection import JUDGEMENTS
from augkit.train.step_lines import METRICS, step_lines

WIDTH, HEIGHT = 280.0, 120.0
LEFT, RIGHT, TOP, BOTTOM = 40.0, 8.0, 10.0, 20.0
DISTANCE = "distance to held-out pairs"
_JUDGED = {"distance": DISTANCE, "diversity": "diversity against held-out pairs"}
_LARGEST = 1e300
POINTS = 240
"""Points of a line; where a run recorded more, each is the mean of its stretch."""


@dataclass(frozen=True)
class Curve:
    """One recorded quantity: values by step, and the step to mark (0: none)."""

    name: str
    steps: Sequence[int]
    values: Sequence[float]
    chosen: int = 0


@dataclass(frozen=True)
class Training:
    """One model's run; ``about`` is its config.json, empty while the run is not finished."""

    stage: str
    model: str
    about: dict[str, Any]
    curves: Sequence[Curve]
    problems: Sequence[str] = field(default=())

    @property
    def finished(self) -> bool:
        """Whether the run wrote its model."""
        return bool(self.about)


def read_trainings(models: Path) -> list[Training]:
    """The runs below ``models/``, by stage and model; lines that a killed run left half-written are left out."""
    folders = sorted(path.parent for path in models.glob("*/*/metrics.jsonl"))
    return [_training(folder) for folder in folders]


def _training(folder: Path) -> Training:
    problems: list[str] = []
    about: dict[str, Any] = {}
    if (folder / "config.json").is_file():
        try:
            about = load_description(folder)
        except CheckpointError:
            problems.append("config.json cannot be read: train this model again")
    losses = _series(folder / METRICS, ("step", "seconds_per_step"))
    judged = _series(folder / JUDGEMENTS, ("step",))
    chosen = int(about.get("chosen_step", 0))
    curves = [_curve(name, points) for name, points in losses.items()]
    curves += [_curve(_JUDGED.get(name, name), points, chosen) for name, points in judged.items()]
    return Training(folder.parent.name, folder.name, about, curves, tuple(problems))


def _curve(name: str, points: Sequence[tuple[int, float]], chosen: int = 0) -> Curve:
    return Curve(name, [step for step, _ in points], [value for _, value in points], chosen)


def _series(path: Path, without: Sequence[str]) -> dict[str, list[tuple[int, float]]]:
    """(step, value) by name."""
    found: dict[str, list[tuple[int, float]]] = {}
    for line in step_lines(path):
        for name, value in line.items():
            if name not in without and isinstance(value, int | float) and abs(value) < _LARGEST:
                found.setdefault(name, []).append((int(line["step"]), float(value)))
    return found


@dataclass(frozen=True)
class Chart:
    """A curve in the pixels of its picture: ``WIDTH`` x ``HEIGHT``, y downwards.

    ``ticks_x`` and ``ticks_y`` are places with their labels, ``mark`` the place of the chosen checkpoint.
    """

    name: str
    line: str
    ticks_x: Sequence[tuple[float, str]]
    ticks_y: Sequence[tuple[float, str]]
    mark: tuple[float, float] | None
    chosen: int
    first: str
    last: str


def draw(curve: Curve) -> Chart:
    """The chart of a curve of at least one point."""
    steps, values = _thinned(np.asarray(curve.steps, np.float64), np.asarray(curve.values, np.float64))
    ticks = _ticks(float(values.min()), float(values.max()))
    low, high = min(ticks[0], float(values.min())), max(ticks[-1], float(values.max()))
    begin, end = min(0.0, float(steps[0])), float(steps[-1])

    def x(step: float) -> float:
        return round(LEFT + (step - begin) / max(end - begin, 1e-12) * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (value - low) / max(high - low, 1e-12) * (HEIGHT - TOP - BOTTOM), 1)

    mark = None
    if curve.chosen in curve.steps:
        mark = x(curve.chosen), y(curve.values[list(curve.steps).index(curve.chosen)])
    return Chart(
        curve.name, " ".join(f"{x(s)},{y(v)}" for s, v in zip(steps, values, strict=True)),
        [(x(step), f"{step:,.0f}") for step in (begin, end)], [(y(tick), f"{tick:.4g}") for tick in ticks], mark,
        curve.chosen, f"{curve.values[0]:.4g}", f"{curve.values[-1]:.4g}",
    )  # fmt: skip


def _ticks(low: float, high: float) -> list[float]:
    """At most four round numbers around the values; one range up and down where all are equal."""
    from matplotlib.ticker import MaxNLocator

    spread = 0.0 if high > low else max(abs(low), 1.0) * 0.5
    return [float(tick) for tick in MaxNLocator(nbins=3).tick_values(low - spread, high + spread)]


def _thinned(steps: Any, values: Any) -> tuple[Any, Any]:
    """Means of as many stretches as a chart has room for."""
    if len(steps) <= POINTS:
        return steps, values
    edges = np.linspace(0, len(steps), POINTS + 1).astype(int)[:-1]
    sizes = np.diff(np.append(edges, len(steps)))
    return np.add.reduceat(steps, edges) / sizes, np.add.reduceat(values, edges) / sizes
