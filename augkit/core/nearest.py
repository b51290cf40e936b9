"""What somebody may have meant who misspelt a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that looks most like this one; None where none does."""
    return next(iter(difflib.get_close_matches(name, list(names), n=1)), None)


def one_of(name: str, names: Iterable[str]) -> str:
    """What was expected in the place of an unknown name: ``one of mask, image; did you mean image?``"""
    known = list(names)
    meant = nearest(name, known)
    return "one of " + ", ".join(known) + (f"; did you mean {meant}?" if meant else "")
