"""The command line: one file a verb. Verbs parse, call and print; the work is done in the layers below."""

from augkit.cli._app import app, main

__all__ = ["app", "main"]
