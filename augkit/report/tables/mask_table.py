"""The table of ``augkit evaluate masks``."""

from __future__ import annotations

import numpy as np
from rich.table import Table

from augkit.evaluate.masks import Exclusive, MaskEvaluation
from augkit.report.tables.figure_cells import range_of, ratio_of, warnings_of


def mask_table(found: MaskEvaluation) -> Table:
    """A row a class, and one for all; below, the other figures, copies and warnings."""
    distance = found.whole.figures[0]
    table = Table(title=f"Made masks against held-out ones: {distance.name}, and the share that passes the rule")
    table.add_column("class", no_wrap=True)
    for column in ("photos", "n", "made", "95 %", "floor", "ratio", "pass", "real pass"):
        table.add_column(column, justify="right")
    for part in [*found.classes, found.whole]:
        own = part.figures[0]
        table.add_row(
            part.name, str(part.photos), str(part.size), f"{own.value:.1f}", range_of(own), f"{own.floor.mean:.1f}",
            ratio_of(own), f"{part.passing:.0%}", f"{part.passing_real:.0%}",
        )  # fmt: skip
    others = ", ".join(f"{f.name} {f.value:.3f} (real {f.floor.mean:.3f})" for f in found.whole.figures[1:])
    copies = found.copies
    table.caption = "\n".join([
        f"all: {others}",
        *_exclusive(found.exclusive),
        f"{copies.share:.1%} of the made masks are nearer to a training mask than {copies.quantile:.0%} of the "
        f"held-out ones; median distance {np.median(copies.made):.2f}, held-out {np.median(copies.held_out):.2f}",
        *warnings_of(figure for part in (found.whole, *found.classes) for figure in part.figures),
    ])  # fmt: skip
    return table


def _exclusive(found: Exclusive) -> list[str]:
    """A line, where any parts exclude each other."""
    if not found.parts:
        return []
    pairs = ", ".join(" and ".join(pair) for pair in found.parts)
    return [f"never together in real masks ({pairs}): both in {found.made:.1%} (real {found.held_out:.1%})"]
