"""A workspace that shows itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from augkit.core.errors import ConfigError
from augkit.core.storage import folder_of
from augkit.core.workspace import Workspace

if TYPE_CHECKING:
    from augkit.shards.reader import ShardDataset


class WorkspaceView(Workspace):
    """The folder that holds catalogue, pairs, models, shards and reports. Raises ConfigError for a URL."""

    def __init__(self, root: str | Path) -> None:
        folder = folder_of(root)
        if folder is None:
            raise ConfigError(f"{root}: a URL", "a folder", "give the URL itself to the functions of augkit.api")
        super().__init__(folder)

    def dataset(self, split: str = "train") -> ShardDataset:
        """The accepted pairs of a split that `balance` wrote. Raises ShardError where it did not yet."""
        from augkit.shards.reader import ShardDataset

        return ShardDataset(self.shards, where=[("split", "==", split)])

    def _repr_html_(self) -> str:
        from rich.console import Group

        from augkit.data.catalogue import read_catalogue
        from augkit.report.notebook_html import html_of
        from augkit.report.tables.class_table import class_table

        if not self.catalogue.is_file():
            return html_of(f"{self.root}: nothing was imported yet")
        there = {"models": self.models, "shards": Path(self.shards), "reports": self.reports}
        lines = [f"{name} {path}" for name, path in there.items() if path.is_dir()]
        table = class_table(read_catalogue(self.catalogue))
        return html_of(Group(f"workspace {self.root}", table, *lines), [self.reports / "contact-sheet.png"])
