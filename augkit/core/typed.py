"""Data from outside, held against the types that the code has for it.

A dataclass, a TypedDict or a type is the schema; what fits becomes its instance, whatever else is there is left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from pydantic import Field, TypeAdapter, ValidationError

from augkit.core.regular_file import LABELS, read_regular

_Kind = TypeVar("_Kind")

NotNegative = Annotated[int, Field(ge=0, lt=2**63)]
Finite = Annotated[float, Field(allow_inf_nan=False)]

_SHOWN, _LONGEST = 5, 60


def from_json(kind: type[_Kind], text: str | bytes) -> _Kind:
    """What the JSON says, as ``kind``. Raises ValueError, which names the faulty places: no text, no JSON, too deeply
    nested, keys that are missing, values of another type or beyond their bounds."""
    try:
        return cast(_Kind, _adapter(kind).validate_json(text, strict=True))
    except ValidationError as error:
        raise ValueError(faults_of(error)) from None


def read_json(kind: type[_Kind], path: Path, limit: int = LABELS) -> _Kind:
    """A JSON file as ``kind``. Raises OSError for what is no regular file of at most ``limit`` bytes, and ValueError as
    ``from_json`` does."""
    return from_json(kind, read_regular(path, limit))


def from_plain(kind: type[_Kind], data: Any) -> _Kind:
    """Plain data as ``kind``. Raises ValueError, which names the faulty places."""
    try:
        return cast(_Kind, _adapter(kind).validate_python(data))
    except ValidationError as error:
        raise ValueError(faults_of(error)) from None


def faults_of(error: ValidationError) -> str:
    """The first few faults in a line, each with its place and what was found there."""
    found = error.errors(include_url=False, include_context=False)
    lines = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']} (got {shown(fault['input'])})" for fault in found]
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return "; ".join(line.removeprefix(": ") for line in lines[:_SHOWN]) + more


def shown(value: object) -> str:
    """A value for a message, cut short; one that cannot be written down is called by its type."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits; a tree of thousands of levels
        return f"a very large {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Built once a type: that takes milliseconds."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
