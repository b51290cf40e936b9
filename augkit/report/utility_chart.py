"""The chart of ``augkit evaluate utility``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from augkit.core.atomic_file import replacing
from augkit.evaluate.utility.figures import OVERALL, TAIL_CLASSES, TAIL_PARTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from augkit.evaluate.utility.study import Study
    from augkit.metrics.intervals import Estimate

_COLOURS = {OVERALL: "#4c78a8", TAIL_PARTS: "#f58518", TAIL_CLASSES: "#54a24b"}


def utility_chart(study: Study, path: Path) -> Path:
    """Writes a PNG: left, the mean IoU of every arm; right, the differences. Bars are 95 % intervals, small marks are
    seeds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = max(len(study.arms), len(study.comparisons))
    figure = Figure(figsize=(13, 0.62 * rows + 2.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _draw(left, [(result.arm.name, result.figures) for result in study.arms])
    left.set_title("mean IoU on held-out photos, in points", loc="left", fontsize="medium")
    _draw(right, [(f"{c.arm.name}\nagainst {c.against.name}", c.deltas) for c in study.comparisons])
    right.axvline(0, color="#8c9aa9", linewidth=1)
    right.set_title("differences, paired by seed and photo, in points", loc="left", fontsize="medium")
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return path


def _draw(axes: Axes, rows: Sequence[tuple[str, dict[str, Estimate]]]) -> None:
    for place, (name, colour) in enumerate(_COLOURS.items()):
        offset = 0.22 * (place - 1)
        found = [(y + offset, figures[name]) for y, (_, figures) in enumerate(rows) if name in figures]
        if not found:
            continue
        heights, values = [y for y, _ in found], [100 * figure.value for _, figure in found]
        reach = [
            [100 * abs(end - f.value) for _, f in found for end in f.interval()[side : side + 1]] for side in (0, 1)
        ]
        axes.errorbar(values, heights, xerr=reach, fmt="o", color=colour, capsize=3, label=name)
        seeds = [(100 * own, y) for y, figure in found for own in figure.seeds]
        axes.plot(*zip(*seeds, strict=True), "|", color=colour, alpha=0.6, markersize=6)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.invert_yaxis()
    axes.grid(axis="x", color="#e5e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
