"""Tables and pictures as the HTML that a notebook shows below a cell."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, RenderableType

from augkit.core.regular_file import PICTURE, read_regular

_WIDTH = 110
_FORMAT = '<pre style="white-space:pre;overflow-x:auto;line-height:1.25;font-family:monospace">{code}</pre>'
_PICTURE = '<img src="data:image/png;base64,{data}" alt="{name}" style="max-width:100%">'


def text_of(renderable: RenderableType) -> str:
    """As a terminal without colours shows it."""
    return _recorded(renderable).export_text(clear=False)


def html_of(renderable: RenderableType, pictures: Iterable[Path] = ()) -> str:
    """The tables, and below them the pictures (PNG) that are there, embedded."""
    tables = _recorded(renderable).export_html(inline_styles=True, code_format=_FORMAT)
    return tables + "".join(_embedded(path) for path in pictures if path.is_file())


def _recorded(renderable: RenderableType) -> Console:
    console = Console(record=True, file=io.StringIO(), width=_WIDTH, force_jupyter=False)
    console.print(renderable)
    return console


def _embedded(path: Path) -> str:
    return _PICTURE.format(data=base64.b64encode(read_regular(path, PICTURE)).decode(), name=path.stem)
