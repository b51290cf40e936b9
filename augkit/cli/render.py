"""``augkit render``: draws a data set of parametric cars into the workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb
from augkit.core.errors import ConfigError

_COUNT = 200

_CountOption = Annotated[
    int | None, typer.Option("--count", min=1, help=f"Cars in all ({_COUNT} unless --class is given).")
]
_LopsidedOption = Annotated[bool, typer.Option("--lopsided", help="Classes as uneven as in real data, not even.")]
_ClassOption = Annotated[
    list[str] | None, typer.Option("--class", help="Cars of one class, e.g. front-left-5=40; may be repeated.")
]


@app.command("render", cls=Verb)
def render(
    *,
    workspace: WorkspaceOption = None,
    count: _CountOption = None,
    lopsided: _LopsidedOption = False,
    classes: _ClassOption = None,
    size: Annotated[int | None, typer.Option("--size", help="Side of the pairs in pixels (data.size).")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="What the cars are drawn from (seed).")] = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw parametric cars with exact part masks: a data set to try things on, with known truth."""
    from augkit.api.rendering import render as rendered
    from augkit.cli._progress import Bars
    from augkit.report.tables.class_table import class_counts, class_table
    from augkit.sources.render.rendered_samples import parse_counts

    if classes and (count is not None or lopsided):
        raise ConfigError(
            "--class together with --count or --lopsided",
            "either the number of each class, or one number for all",
            "leave one of them out",
        )
    counts = {car_class.name: number for car_class, number in parse_counts(classes).items()} if classes else None
    chosen = [*(overrides or ())]
    chosen += [f"{key}={value}" for key, value in (("data.size", size), ("seed", seed)) if value is not None]
    session = open_session(workspace, as_json, config, chosen)
    with Bars() as bars:
        rows = rendered(
            session.workspace, count or _COUNT, lopsided=lopsided, classes=counts, config=session.settings,
            progress=bars,
        ).rows  # fmt: skip
    place = str(session.workspace.root)
    result = {"workspace": place, "importer": "render", "pairs": len(rows), "classes": class_counts(rows)}
    session.emit(result, class_table(rows))
