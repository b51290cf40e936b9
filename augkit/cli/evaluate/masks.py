"""``augkit evaluate masks``: how good what stage I makes is."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._extractor import ExtractorOption, WeightsOption
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb
from augkit.cli.evaluate._app import evaluate


@evaluate.command("masks", cls=CatalogueVerb)
def masks(
    *,
    extractor: ExtractorOption = "lite0",
    weights: WeightsOption = None,
    made_by: Annotated[
        str, typer.Option("--made-by", help="stage-I, rendered (cars fitted to real masks) or rendered-at-random.")
    ] = "stage-I",
    workspace: WorkspaceOption = None,
    config: ConfigOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare what stage I makes with held-out real masks, beside the real-against-real floor."""
    from augkit.api.evaluate import masks as measured
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        result = measured(
            session.workspace, extractor=extractor, weights=weights, config=session.settings, progress=bars,
            made_by=made_by,
        )  # fmt: skip
    session.show(result)
