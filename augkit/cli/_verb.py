"""Verbs refuse what cannot be before they import anything heavy: an answer takes no longer than it must."""

from __future__ import annotations

import warnings
from typing import Any

from typer.core import TyperCommand

from augkit.cli._session import open_session
from augkit.core.errors import RenamedWarning


class Verb(TyperCommand):
    """A command whose settings are checked first."""

    needs_catalogue = False

    def invoke(self, ctx: Any) -> Any:
        """Calls the command. Raises ConfigError for settings, and DataError for a folder, that it cannot work with."""
        given = ctx.params
        if "config" in given:
            session = open_session(given.get("workspace"), False, given["config"], given.get("overrides"))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RenamedWarning)  # the command itself tells of them
                _ = session.settings
        if self.needs_catalogue:
            open_session(given.get("workspace")).workspace.require_catalogue()
        return super().invoke(ctx)


class CatalogueVerb(Verb):
    """A command that works on imported pairs."""

    needs_catalogue = True
