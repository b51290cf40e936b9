"""``augkit mix``: pictures between two projections."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb


@app.command("mix", cls=CatalogueVerb)
def mix(
    a: Annotated[str, typer.Argument(metavar="A", help="A projection (name or file), or a picture to project first.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other.")],
    *,
    weight: Annotated[float, typer.Option("--weight", help="0 is A, 1 is B.")] = 0.5,
    car_class: Annotated[
        str | None, typer.Option("--class", help="Class of the pictures that are projected first.")
    ] = None,
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Blend the latents of two pictures and draw what lies between them: a strip over the weight, and one picture."""
    from augkit.cli._progress import Bars
    from augkit.core.classes import CarClass
    from augkit.stages.model_store import ModelStore
    from augkit.stages.projection import mixing
    from augkit.stages.projection.projector import Projector

    mixing.check_weight(weight)
    session = open_session(workspace, as_json, config, overrides)
    asked = CarClass.parse(car_class) if car_class else None
    with Bars() as bars:
        projector = Projector(ModelStore.open(session.workspace, session.settings), progress=bars)
        pair = mixing.find_pair(projector, (a, b), asked)
        made = mixing.mix(projector, *pair, weight)
    kept = made.other_class != made.car_class
    note = f"{pair[1].name} is of {made.other_class.name}; {made.car_class.name} is kept" if kept else ""
    result = {
        "a": pair[0].to_dict(), "b": pair[1].to_dict(), "weight": weight, "weights": made.weights,
        "class": made.car_class.name, "note": note, "strip": str(made.strip), "picture": str(made.picture),
    }  # fmt: skip
    lines = [f"strip over {', '.join(f'{w:g}' for w in made.weights)}: {made.strip}", f"w = {weight:g}: {made.picture}"]
    session.emit(result, "\n".join([*lines, *([note] if note else [])]))
