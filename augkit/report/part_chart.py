"""What augkit's help changed, part by part: the picture of the verdict of ``augkit evaluate utility``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from augkit.core.atomic_file import replacing
from augkit.evaluate.utility.figures import OVERALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from augkit.evaluate.utility.study import Study
    from augkit.evaluate.utility.verdict import Question
    from augkit.metrics.intervals import Estimate

_BEFORE, _AFTER, _MORE, _LESS = "#8c9aa9", "#1f6fb4", "#54a24b", "#d1495b"
_Row = tuple[str, float, float, "Estimate"]


def part_chart(study: Study, path: Path) -> Path | None:
    """Writes a PNG with a row a part, the greatest gain first: left, the IoU without and with augkit's pairs; right,
    their difference with its 95 % interval. None where there was no question to answer."""
    if study.question is None:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = part_rows(study, study.question)
    figure = Figure(figsize=(10, 0.3 * len(rows) + 2.0), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    _draw_values(left, rows)
    _draw_gains(right, rows, study.question.level)
    left.set_yticks(range(len(rows)), [name for name, *_ in rows])
    left.get_yticklabels()[0].set_fontweight("bold")
    left.invert_yaxis()
    figure.suptitle(_title(study, rows[0]), x=0.02, ha="left", fontsize="large", fontweight="bold")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return path


def part_rows(study: Study, question: Question) -> list[_Row]:
    """Names, points without and with augkit's pairs, and the differences: all parts first, then the greatest gain."""
    figures = {result.arm: result.figures for result in study.arms}
    before, after = figures[question.against], figures[question.arm]
    both = question.arm, question.against
    deltas = next(compared.deltas for compared in study.comparisons if (compared.arm, compared.against) == both)
    names = [name for name in deltas if name.startswith("part ")]
    names.sort(key=lambda name: -deltas[name].value)
    return [
        (name.removeprefix("part ") if name != OVERALL else "all parts", 100 * before[name].value,
         100 * after[name].value, deltas[name])
        for name in (OVERALL, *names)
    ]  # fmt: skip


def _title(study: Study, mean: _Row) -> str:
    _, before, after, delta = mean
    assert study.question is not None
    low, high = delta.interval(study.question.level)
    return (
        f"{before:.1f} → {after:.1f} mean IoU: {100 * delta.value:+.1f} points "
        f"({100 * study.question.level:.4g} % interval {100 * low:+.1f} to {100 * high:+.1f})"
    )


def _draw_values(axes: Axes, rows: list[_Row]) -> None:
    before, after, places = [row[1] for row in rows], [row[2] for row in rows], range(len(rows))
    colours = [_MORE if b < a else _LESS for b, a in zip(before, after, strict=True)]
    axes.hlines(places, before, after, colors=colours, linewidth=3, alpha=0.55)
    axes.plot(before, places, "o", color=_BEFORE, label="without augkit's pairs")
    axes.plot(after, places, "o", color=_AFTER, label="with them")
    axes.set_title("IoU on held-out photos, in points", loc="left", fontsize="medium")
    _plain_axes(axes)


def _draw_gains(axes: Axes, rows: list[_Row], level: float) -> None:
    values = [100 * delta.value for *_, delta in rows]
    ends = [delta.interval(level) for *_, delta in rows]
    reach = [[abs(100 * own[side] - value) for own, value in zip(ends, values, strict=True)] for side in (0, 1)]
    axes.axvline(0, color=_BEFORE, linewidth=1)
    axes.errorbar(values, range(len(rows)), xerr=reach, fmt="o", color=_MORE, capsize=3)
    axes.set_title(f"difference, with its {100 * level:.4g} % interval", loc="left", fontsize="medium")
    _plain_axes(axes)


def _plain_axes(axes: Axes) -> None:
    axes.grid(axis="x", color="#e5e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
