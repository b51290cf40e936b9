"""Faults in settings as people read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from augkit.core.nearest import nearest
from augkit.core.section import Section
from augkit.core.typed import shown


def fault_line(settings: type[Section], fault: Mapping[str, Any]) -> str:
    """One fault that pydantic found: where, what, and for an unknown key the one that may have been meant."""
    path = ".".join(map(str, fault["loc"]))
    if fault["type"] != "extra_forbidden":
        return f"{path}: {fault['msg']} (got {shown(fault['input'])})"
    meant = nearest_key(settings, path)
    return f"{path}: no such setting (got {shown(fault['input'])})" + (f"; did you mean {meant}?" if meant else "")


def nearest_key(settings: type[Section], path: str) -> str | None:
    """The key that looks most like an unknown one: of its section, else of all."""
    paths = list(keys_of(settings))
    section, _, key = path.rpartition(".")
    beside = {name.rpartition(".")[2]: name for name in paths if name.rpartition(".")[0] == section}
    here = nearest(key, beside)
    if here is not None:
        return beside[here]
    same = [name for name in paths if name.rpartition(".")[2] == key]
    return same[0] if same else nearest(path, paths)


def keys_of(settings: type[Section], prefix: str = "") -> Iterator[str]:
    """The paths of all keys, sections among them."""
    for name, field in settings.model_fields.items():
        path = prefix + (field.alias or name)
        yield path
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section):
                yield from keys_of(kind, f"{path}.")
