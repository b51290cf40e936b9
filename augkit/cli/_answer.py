"""What a command that fails says: on stderr for people, and with ``--json`` on stdout for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from augkit.cli._log import note
from augkit.core.errors import AugkitError
from augkit.core.remote_workspace import by_url

ANSWERED: ContextVar[bool] = ContextVar("answered", default=False)
"""Whether a command has printed its JSON object: there must be only one."""


@dataclass(frozen=True)
class Answer:
    """To one command line."""

    as_json: bool

    @classmethod
    def to(cls, arguments: Sequence[str]) -> Answer:
        """Nothing is answered yet."""
        ANSWERED.set(False)
        return cls("--json" in arguments)

    def refused(self, error: AugkitError, code: int, kind: str = "") -> int:
        """Tells of an error; returns the exit code."""
        found, expected, remedy = (by_url(text) for text in (error.found, error.expected, error.remedy))
        print(f"augkit: {by_url(str(error))}", file=sys.stderr)
        return self.told(kind or type(error).__name__, found, code, expected, remedy)

    def told(self, kind: str, found: str, code: int, expected: str = "", remedy: str = "") -> int:
        """The JSON object, where one is asked for and the command has not printed its result; returns the exit code."""
        note(
            "\n".join(
                line for line in (found, expected and f"expected: {expected}", remedy and f"remedy: {remedy}") if line
            )
        )
        if self.as_json and not ANSWERED.get():
            error = {"kind": kind, "found": found, "expected": expected, "remedy": remedy, "exit_code": code}
            print(json.dumps({"error": error}, indent=1))
        return code
