"""What every result can do: tell itself as plain data, as a table, and as HTML in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType


class Shown(ABC):
    """A result of the interface."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``--json`` prints it."""

    @abstractmethod
    def table(self) -> RenderableType:
        """For people: what a terminal shows."""

    @property
    def pictures(self) -> Sequence[Path]:
        """Files (PNG) that a notebook shows below the table."""
        return ()

    def __str__(self) -> str:
        from augkit.report.notebook_html import text_of

        return text_of(self.table())

    def _repr_html_(self) -> str:
        from augkit.report.notebook_html import html_of

        return html_of(self.table(), self.pictures)
