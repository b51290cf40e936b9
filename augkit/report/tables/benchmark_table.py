"""The table of ``augkit compare``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from augkit.evaluate.benchmark import BenchmarkResult
from augkit.report.tables.figure_cells import warning_lines


def benchmark_table(results: Sequence[BenchmarkResult], seconds: float, waiting: Mapping[str, str]) -> Table:
    """A row a generator; ``seconds`` is the budget, and ``waiting`` says of others by name why they were left out."""
    distance = results[0].distance_name
    title = f"{seconds:g} s of training each; {results[0].pictures} made and as many held-out pictures"
    table = Table(title=title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", min_width=max(len(name) for name in [*waiting, *(r.name for r in results)]))
    for column in ("G/D, M", "steps", "s/step", distance, "floor", "ratio", "KD", "IS"):
        table.add_column(column, justify="right", no_wrap=True)
    for r in results:
        table.add_row(
            r.name, f"{r.parameters_g / 1e6:.1f}/{r.parameters_d / 1e6:.1f}", str(r.steps), f"{r.seconds_per_step:.2f}",
            f"{r.distance:.0f}", f"{r.distance_floor:.0f}", "" if r.ratio is None else f"{r.ratio:.1f}",
            _with_error(r.kernel, r.kernel_error), f"{r.inception_score:.2f}",
        )  # fmt: skip
    for name in waiting:
        table.add_row(name, "", "waits")
    real = ", ".join(sorted({f"{r.inception_score_real:.2f} ({r.stage})" for r in results}))
    stopped = [f"{r.name}: {r.stopped}" for r in results if r.stopped and "budget" not in r.stopped]
    stopped += [f"{name}: {reason}" for name, reason in waiting.items()]
    warnings = warning_lines(text for r in results for text in r.warnings)
    about = f"G/D: parameters in millions; ±: standard error; IS of the real pictures: {real}"
    table.caption = "\n".join([about, *stopped, *warnings])
    return table


def _with_error(value: float, error: float | None) -> str:
    return f"{value:.2f}" + ("" if error is None else f"±{error:.2f}")
