"""``augkit evaluate masks``: how good what stage I makes is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from augkit.cli._extractor import ExtractorOption, WeightsOption
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli.evaluate._app import evaluate
from augkit.cli.evaluate._figures import range_of, warnings_of

if TYPE_CHECKING:
    from rich.table import Table

    from augkit.evaluate.masks import ClassFigures, MaskEvaluation


@evaluate.command("masks")
def masks(
    *,
    extractor: ExtractorOption = "lite0",
    weights: WeightsOption = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what stage I makes with held-out real masks, beside the real-against-real floor."""
    from augkit.cli._progress import Bars
    from augkit.evaluate.masks import evaluate_masks

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        found = evaluate_masks(session.workspace, session.settings, extractor, bars.steps, weights)
    session.emit(_plain(found), _table(found))


def _plain(found: MaskEvaluation) -> dict[str, Any]:
    def part(about: ClassFigures) -> dict[str, Any]:
        return vars(about) | {"figures": [figure.to_dict() for figure in about.figures]}

    copies = found.copies
    return {
        "all": part(found.whole),
        "classes": [part(about) for about in found.classes],
        "copies": {
            "share": copies.share, "expected": copies.quantile, "bound": copies.bound,
            "median_made": float(_median(copies.made)), "median_held_out": float(_median(copies.held_out)),
        },
    }  # fmt: skip


def _median(values: Any) -> Any:
    import numpy as np

    return np.median(values)


def _table(found: MaskEvaluation) -> Table:
    from rich.table import Table

    distance = found.whole.figures[0]
    table = Table(title=f"Made masks against held-out ones: {distance.name}, and the share that passes the rule")
    table.add_column("class", no_wrap=True)
    for column in ("photos", "n", "made", "95 %", "floor", "ratio", "pass", "real pass"):
        table.add_column(column, justify="right")
    for part in [*found.classes, found.whole]:
        own = part.figures[0]
        ratio = "" if own.ratio is None else f"{own.ratio:.2f}"
        table.add_row(
            part.name, str(part.photos), str(part.size), f"{own.value:.1f}", range_of(own), f"{own.floor.mean:.1f}",
            ratio, f"{part.passing:.0%}", f"{part.passing_real:.0%}",
        )  # fmt: skip
    others = ", ".join(f"{f.name} {f.value:.3f} (real {f.floor.mean:.3f})" for f in found.whole.figures[1:])
    copies = found.copies
    table.caption = "\n".join([
        f"all: {others}",
        f"{copies.share:.1%} of the made masks are nearer to a training mask than {copies.quantile:.0%} "
        f"of the held-out ones; median distance {_median(copies.made):.2f}, held-out {_median(copies.held_out):.2f}",
        *warnings_of(figure for part in (found.whole, *found.classes) for figure in part.figures),
    ])  # fmt: skip
    return table
