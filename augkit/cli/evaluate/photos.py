"""``augkit evaluate photos``: how good what stage II makes is."""

from __future__ import annotations

from augkit.cli._extractor import ExtractorOption, WeightsOption
from augkit.cli._session import ConfigOption, JsonOption, SetOption, WorkspaceOption, open_session
from augkit.cli._verb import CatalogueVerb
from augkit.cli.evaluate._app import evaluate


@evaluate.command("photos", cls=CatalogueVerb)
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
    from augkit.api.evaluate import photos as measured
    from augkit.cli._progress import Bars

    session = open_session(workspace, as_json, config, overrides)
    with Bars() as bars:
        result = measured(
            session.workspace, extractor=extractor, weights=weights, config=session.settings, progress=bars
        )
    session.show(result)
