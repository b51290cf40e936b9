"""Bar charts: classes before and after, and the data that a balance starts from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from augkit.core.atomic_file import replacing
from augkit.data.audit.overview import Overview
from augkit.data.catalogue import SPLITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SPLIT_COLOURS = ("#4c78a8", "#9ecae9", "#bab0ac")


def class_chart(real: Mapping[str, int], generated: Mapping[str, int], target: int, path: Path) -> Path:
    """Writes a PNG: a bar a class, real pairs below, generated ones on top, and the target as a line."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = sorted(real)
    figure = Figure(figsize=(8, 0.42 * len(names) + 1.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    before = [real[name] for name in names]
    after = [generated.get(name, 0) for name in names]
    axes.barh(names, before, color="#4c78a8", label="real")
    bars = axes.barh(names, after, left=before, color="#f58518", label="generated")
    axes.bar_label(bars, labels=[f"{b} + {a}" if a else f"{b}" for b, a in zip(before, after, strict=True)], padding=4)
    axes.axvline(target, color="#54a24b", linestyle="--", label=f"target {target}")
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("pairs")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return path


def overview_chart(overview: Overview, path: Path) -> Path:
    """Writes a PNG: above, pairs by class and split; below, each part's share of the cars' pixels and the number of
    pairs that show it, the largest first."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = (len(overview.classes), len(overview.parts))
    figure = Figure(figsize=(8, 0.28 * sum(rows) + 2.4), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, height_ratios=[max(3, count) for count in rows])
    _draw_classes(above, overview)
    _draw_parts(below, overview)
    for axes in (above, below):
        axes.invert_yaxis()
        axes.margins(x=0.18, y=0.02)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return path


def _draw_classes(axes: Axes, overview: Overview) -> None:
    names = list(overview.classes)
    left = [0] * len(names)
    for split, colour in zip(SPLITS, _SPLIT_COLOURS, strict=True):
        counts = [overview.classes[name][split] for name in names]
        if any(counts):
            bars = axes.barh(names, counts, left=left, color=colour, label=split)
            left = [a + b for a, b in zip(left, counts, strict=True)]
    if names:
        axes.bar_label(bars, labels=[str(total) for total in left], padding=4)
        axes.legend(loc="lower right", frameon=False)
    axes.set_title("pairs by class", loc="left", fontsize="medium")


def _draw_parts(axes: Axes, overview: Overview) -> None:
    parts = sorted(overview.parts, key=lambda part: -part.share)
    bars = axes.barh([part.name for part in parts], [100 * part.share for part in parts], color="#8c9aa9")
    labels = [f"{100 * part.share:.1f} %, in {part.pairs}" for part in parts]
    axes.bar_label(bars, labels=labels, padding=4, fontsize="small")
    title = f"share of the cars' pixels by part, in per cent; in how many of {overview.pairs} pairs it shows"
    axes.set_title(title, loc="left", fontsize="medium")
