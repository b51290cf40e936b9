"""``augkit evaluate``: one file a sub-command, which registers itself with the group of ``_app``."""

from augkit.cli._app import load_commands
from augkit.cli.evaluate._app import evaluate

ORDER = ("masks", "photos", "gate", "utility")
"""The order in which the help lists them; others follow in alphabetical order."""

load_commands(__name__, ORDER)

__all__ = ["evaluate"]
