"""``augkit evaluate photos``: how good what stage II makes is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from augkit.cli._extractor import ExtractorOption, WeightsOption
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli.evaluate._app import evaluate
from augkit.cli.evaluate._figures import range_of, warnings_of

if TYPE_CHECKING:
    from rich.table import Table

    from augkit.evaluate.comparison import Figure
    from augkit.evaluate.photos import PhotoEvaluation, SegmenterAgreement


@evaluate.command("photos")
def photos(
    *,
    extractor: ExtractorOption = "lite0",
    weights: WeightsOption = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare stage II's photos, of held-out masks and of made ones, with held-out photos."""
    from augkit.cli._progress import Bars
    from augkit.evaluate.photos import evaluate_photos

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        found = evaluate_photos(session.workspace, session.settings, extractor, bars.steps, weights)
    session.emit(_plain(found), _table(found))


def _plain(found: PhotoEvaluation) -> dict[str, Any]:
    copies = found.copies

    def agreement(about: SegmenterAgreement | None) -> dict[str, float | None] | None:
        return None if about is None else {"made": about.made, "real": about.real, "share": about.share}

    return {
        "held_out_masks": [figure.to_dict() for figure in found.held_out],
        "made_masks": [figure.to_dict() for figure in found.made],
        "fall": found.fall,
        "variety": found.variety,
        "agreement": agreement(found.agreement),
        "agreement_made_masks": agreement(found.agreement_made),
        "copies": {"share": copies.share, "expected": copies.quantile, "bound": copies.bound},
        "exemplars": found.exemplars,
    }


def _table(found: PhotoEvaluation) -> Table:
    from rich.table import Table

    table = Table(title="Photos against held-out ones, with as many training photos as the floor")
    table.add_column("figure", no_wrap=True)
    for column in ("held-out masks", "made masks", "floor"):
        table.add_column(column, justify="right")
    for place, own in enumerate(found.held_out):
        made = _cell(found.made[place]) if found.made else ""
        table.add_row(own.name, _cell(own), made, f"{own.floor.mean:.2f}")
    ratio = found.made[0].ratio if found.made else None
    own_ratio = found.held_out[0].ratio
    table.add_row(
        "ratio to the floor", "" if own_ratio is None else f"{own_ratio:.2f}", "" if ratio is None else f"{ratio:.2f}"
    )
    if found.agreement is not None:
        made = f"{found.agreement_made.made:.3f}" if found.agreement_made else ""
        table.add_row("agreement (mIoU)", f"{found.agreement.made:.3f}", made, f"{found.agreement.real:.3f}")
    table.caption = "\n".join(_notes(found))
    return table


def _notes(found: PhotoEvaluation) -> list[str]:
    variety = "no class has two different held-out photos to tell variety by"
    if found.variety is not None:
        variety = f"photos of one mask differ by {found.variety:.0%} of what held-out photos of a class do"
    notes = [
        f"{variety}; {found.exemplars} training photos were exemplars",
        f"{found.copies.share:.1%} of the photos are nearer to a training photo than {found.copies.quantile:.0%} of "
        "the held-out ones",
    ]
    if found.fall is not None:
        notes.append(f"made masks' photos are {found.fall:.2f} times as far from real ones as held-out masks' photos")
    if found.agreement is None:
        notes.append("agreement is told once the gate is fitted: augkit evaluate gate")
    elif found.agreement.share is None:
        notes.append("the gate's segmenters agree with no held-out pair: agreement tells nothing")
    else:
        share = f"{found.agreement.share:.0%} of that on held-out photos"
        notes.append(f"agreement is {share}, by segmenters new to the photo and to its exemplar")
    return [*notes, *warnings_of([*found.held_out, *found.made])]


def _cell(figure: Figure) -> str:
    """The value with its 95 % interval."""
    interval = range_of(figure, 2)
    return f"{figure.value:.2f}" + (f" ({interval})" if interval else "")
