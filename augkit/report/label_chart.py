"""The chart of ``augkit evaluate utility --labels``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from augkit.core.atomic_file import replacing
from augkit.evaluate.utility.arms import KINDS
from augkit.evaluate.utility.figures import MEANS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from augkit.evaluate.utility.label_study import LabelStudy


def label_chart(study: LabelStudy, path: Path) -> Path:
    """Writes a PNG: the mean IoU of every arm over the number of labels, with 95 % intervals; solid where augkit's
    pairs take part."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [name for name in MEANS if name in study.points[0].study.arms[0].figures]
    figure = Figure(figsize=(5 * len(names), 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(names), squeeze=False)[0]
    for own, name in zip(axes, names, strict=True):
        _draw(own, study, name)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return path


def _draw(axes: Axes, study: LabelStudy, name: str) -> None:
    labels = [point.labels for point in study.points]
    arms = [result.arm for result in study.points[0].study.arms]
    for place, arm in enumerate(arms):
        found = [point.study.arms[place].figures[name] for point in study.points]
        values = [100 * figure.value for figure in found]
        reach = [[100 * abs(figure.interval()[side] - figure.value) for figure in found] for side in (0, 1)]
        spread = [number * 1.015 ** (place - len(arms) / 2) for number in labels]  # intervals side by side
        style = "-" if KINDS[arm.kind].ours else "--"
        axes.errorbar(spread, values, yerr=reach, linestyle=style, marker="o", markersize=4, capsize=3, label=arm.name)
    axes.set_xscale("log")
    axes.set_xticks(labels, [f"{number:.0f}" for number in labels])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("labelled photos")
    axes.set_title(f"{name}: IoU in points", loc="left", fontsize="medium")
    axes.grid(color="#e5e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
