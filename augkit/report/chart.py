"""The bar chart of classes before and after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


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
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path
