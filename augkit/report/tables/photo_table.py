"""The table of ``augkit evaluate photos``."""

from __future__ import annotations

from rich.table import Table

from augkit.evaluate.photos import PhotoEvaluation
from augkit.report.tables.figure_cells import cell_of, ratio_of, warnings_of


def photo_table(found: PhotoEvaluation) -> Table:
    """A row a figure: photos of held-out masks, their exemplars as warped, photos of made masks, and the floor."""
    table = Table(title="Photos against held-out ones, with as many training photos as the floor")
    table.add_column("figure", no_wrap=True)
    for column in ("held-out masks", "warp alone", "made masks", "floor"):
        table.add_column(column, justify="right")
    for place, own in enumerate(found.held_out):
        made = cell_of(found.made[place]) if found.made else ""
        table.add_row(own.name, cell_of(own), cell_of(found.warped[place]), made, f"{own.floor.mean:.2f}")
    ratios = [ratio_of(figures[0]) if figures else "" for figures in (found.held_out, found.warped, found.made)]
    table.add_row("ratio to the floor", *ratios)
    if found.agreement is not None:
        made = f"{found.agreement_made.made:.3f}" if found.agreement_made else ""
        table.add_row("agreement (mIoU)", f"{found.agreement.made:.3f}", "", made, f"{found.agreement.real:.3f}")
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
    notes.append(f"the cars' roughness is {found.detail:.2f} times that of held-out ones")
    if found.told is not None:
        notes.append(
            f"the discriminator takes {found.told.real:.0%} of held-out patches for real and {found.told.made:.0%} of "
            f"made ones for made: {found.told.mean:.0%} right, and ranks {found.told.ranked:.0%} of them right, where "
            "guessing is 50% of each"
        )
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
