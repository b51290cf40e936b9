"""The table of segmenters' scores by part."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table


def score_table(scores: Mapping[str, Mapping[str, float]]) -> Table:
    """IoU by part name of the segmenters trained on ``real`` pairs and on ``all``."""
    table = Table("part", "trained on real", "real + generated", title="IoU on held-out cars")
    for part in scores["real"]:
        table.add_row(part, *(f"{scores[source][part]:.3f}" for source in ("real", "all")))
    return table
