"""``augkit render``: draws a data set of parametric cars into the workspace."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb
from augkit.core.errors import ConfigError

_COUNT, _BESIDE = 200, 500

_CountOption = Annotated[
    int | None,
    typer.Option("--count", min=1, help=f"Cars in all ({_COUNT}, with --shards {_BESIDE}, unless --class is given)."),
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
    shards: Annotated[
        bool,
        typer.Option("--shards", help="Into WORKSPACE/rendered, as shards to train on beside the workspace's photos."),
    ] = False,
    size: Annotated[
        int | None, typer.Option("--size", help="Side of the pairs in pixels (data.size; with --shards image.size).")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="What the cars are drawn from (seed).")] = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw parametric cars with exact part masks: a data set to try things on, with known truth."""
    from augkit.api.rendering import render as rendered
    from augkit.api.rendering import render_shards
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
    chosen += [
        f"{key}={value}"
        for key, value in (("image.size" if shards else "data.size", size), ("seed", seed))
        if value is not None
    ]
    session = open_session(workspace, as_json, config, chosen)
    if shards:
        with Bars() as bars:
            beside = render_shards(
                session.workspace, count or _BESIDE, lopsided=lopsided, classes=counts, config=session.settings,
                progress=bars,
            )  # fmt: skip
        session.show(beside)
        return
    with Bars() as bars:
        rows = rendered(
            session.workspace, count or _COUNT, lopsided=lopsided, classes=counts, config=session.settings,
            progress=bars,
        ).rows  # fmt: skip
    place = str(session.workspace.root)
    result = {"workspace": place, "importer": "render", "pairs": len(rows), "classes": class_counts(rows)}
    session.emit(result, class_table(rows))
