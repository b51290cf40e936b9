"""The options that choose the network whose features figures compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ExtractorOption = Annotated[
    str, typer.Option("--extractor", help="Network whose features are compared: lite0, or inception (FID).")
]
WeightsOption = Annotated[
    Path | None, typer.Option("--weights", help="The extractor's weights; inception's own download by default.")
]
