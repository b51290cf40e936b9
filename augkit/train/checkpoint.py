"""State on disk: one safetensors file, written whole, without pickle.

Nested state (dicts, lists, numbers, tensors) becomes tensors under their paths, and a JSON outline in the file's
metadata that says where each belongs.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, BinaryIO

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from augkit.core.atomic_file import replacing
from augkit.core.disk_faults import as_os_error, refusal_or
from augkit.core.errors import CheckpointError
from augkit.core.regular_file import WEIGHTS, open_regular, size_of_regular
from augkit.core.typed import from_json

FORMAT = "augkit-state-1"


def save_state(state: dict[str, Any], path: Path, notes: dict[str, Any]) -> None:
    """Writes nested state and JSON ``notes``. Equal input gives equal bytes. Raises OSError."""
    tensors: dict[str, Tensor] = {}
    outline = _outline(state, "", tensors)
    metadata = {"format": FORMAT, "outline": json.dumps(outline), "notes": json.dumps(notes)}
    with replacing(path) as temporary:
        with as_os_error(path, SafetensorError):
            save_file(tensors, temporary, metadata)
        with temporary.open("rb+") as file:
            _sort_metadata(file)


def _sort_metadata(file: BinaryIO) -> None:
    """Puts the header's metadata in order: safetensors writes it in a random one, and a file's hash names a model."""
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    assert len(text) <= length, "the same keys and values take no more room"
    file.seek(8)
    file.write(text.ljust(length))


def load_state(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """(state, notes) as saved, on the CPU. Raises CheckpointError where the file is missing, cut off or foreign."""
    try:
        size_of_regular(path, WEIGHTS)
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a dict
    except (OSError, SafetensorError, ValueError, RuntimeError, MemoryError) as error:
        spoilt = "a whole checkpoint", "delete the file, then train again or --resume from another"
        raise CheckpointError(f"{path}: {error}", *refusal_or(error, *spoilt)) from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path}: format {metadata.get('format')!r}", FORMAT, "train again with this version")
    try:
        state, notes = _restore(json.loads(metadata["outline"]), tensors), from_json(dict[str, Any], metadata["notes"])
        if not isinstance(state, dict):
            raise TypeError("its outline is none of a state")
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        found = f"{path}: {error or type(error).__name__}"
        raise CheckpointError(found, "a checkpoint as it was written", "delete the file, then train again") from error
    return state, notes


def digest(path: Path) -> str:
    """sha256 of a file: the hash that names a model in the index."""
    with open_regular(path, WEIGHTS) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _outline(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """The value with every tensor replaced by its path, and dict keys kept with their types."""
    if isinstance(value, Tensor):
        while path in tensors:  # the keys 1 and "1", or "a/b" and "a" of "b", read alike
            path += "'"
        tensors[path] = value.detach().cpu().contiguous().clone()  # clone: safetensors refuses shared memory
        return {"tensor": path}
    if isinstance(value, dict):
        return {"dict": [[key, _outline(item, f"{path}/{key}", tensors)] for key, item in value.items()]}
    if isinstance(value, list | tuple):
        return {"list": [_outline(item, f"{path}/{number}", tensors) for number, item in enumerate(value)]}
    return {"value": value}


def _restore(outline: Any, tensors: dict[str, Tensor]) -> Any:
    [(kind, content)] = outline.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {key: _restore(item, tensors) for key, item in content}
    if kind == "list":
        return [_restore(item, tensors) for item in content]
    return content
