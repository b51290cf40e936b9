"""The table of ``augkit project``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table

from augkit.stages.projection.projections import Projection
from augkit.stages.projection.projector import Projector


def projection_tables(projector: Projector, found: Sequence[Projection]) -> Group:
    """A row for each error: the sum that was minimised first, then what it consists of."""
    table = Table("picture", "class", "error", title="Projections")
    for column in ("encoder's guess", "refined"):
        table.add_column(column, justify="right")
    for projection in found:
        about = (projection.name, projection.car_class.name)
        for name, guess in projection.errors["guess"].items():
            table.add_row(*about, name, f"{guess:.4f}", f"{projection.errors['refined'][name]:.4f}")
            about = ("", "")
        table.add_row("", "", "change", "", _change(projection))
    encoders = [f"encoder {encoder.folder}, {encoder.steps} steps" for encoder in projector.encoders.values()]
    return Group(table, *encoders, f"pictures and latents in {projector.folder}")


def _change(projection: Projection) -> str:
    guess, refined = (projection.errors[of]["total"] for of in ("guess", "refined"))
    return f"{refined / guess - 1:+.1%}" if refined < guess else "nothing lower was found"
