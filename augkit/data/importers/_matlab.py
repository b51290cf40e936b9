"""Struct arrays in MATLAB's ``.mat`` files (versions 4 to 7), read without trust in what the file says."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.core.errors import DataError
from augkit.core.regular_file import read_regular

LARGEST_CONTENT = 2**28
"""Bytes of a variable once inflated; zeros compress a thousandfold, so the file's own size bounds nothing."""

_HDF5 = b"\x89HDF\r\n\x1a\n"
_HEADER, _COMPRESSED = 128, 15


def load_struct(file: Path, name: str) -> NDArray[np.void]:
    """The struct array ``name`` of a file, flat: one record an element.

    Raises DataError where the file is damaged, of MATLAB 7.3 (that is HDF5), of more than ``LARGEST_CONTENT`` bytes
    once inflated, or has no such struct array.
    """
    data = read_regular(file, LARGEST_CONTENT)
    _check(file, data)
    from scipy.io import loadmat

    try:
        value = loadmat(io.BytesIO(data), variable_names=[name]).get(name)
    except Exception as error:  # a damaged file raises whatever it happens to hit in scipy
        raise DataError(f"{file.name} cannot be read as a .mat file: {error or type(error).__name__}") from error
    if value is None:
        raise DataError(f"{file.name} has no variable {name}")
    return records(value, f"{file.name}: {name}")


def records(value: Any, name: str) -> NDArray[np.void]:
    """A struct array, flat. An empty array of any type is an empty struct array, as MATLAB writes it."""
    if isinstance(value, np.ndarray) and not value.size:
        return np.zeros(0, np.dtype([]))
    if not isinstance(value, np.ndarray) or value.dtype.names is None:
        raise DataError(f"{name} is no struct array")
    return value.reshape(-1)


def field(record: np.void, name: str, where: str) -> NDArray[Any]:
    """A field of one record. Raises DataError where there is none."""
    if name not in (record.dtype.names or ()):
        raise DataError(f"{where} has no field {name}; it has {', '.join(record.dtype.names or ()) or 'none'}")
    return np.asarray(record[name])


def text(value: NDArray[Any], where: str) -> str:
    """A char array as a string."""
    if value.dtype.kind != "U" or value.size > 1:
        raise DataError(f"{where} is no text")
    return str(value.reshape(-1)[0]) if value.size else ""


def number(value: NDArray[Any], where: str) -> float:
    """A 1x1 array as a number; boxes are stored in the smallest type that holds them, so differences would wrap."""
    if value.dtype.kind not in "biuf" or value.size != 1 or not np.isfinite(value).all():
        raise DataError(f"{where} is no number")
    return float(value.reshape(-1)[0])


def _check(file: Path, data: bytes) -> None:
    """Refuses what scipy cannot read, or only at the price of all memory."""
    if data.startswith(b"MATLAB 7.3") or data.startswith(_HDF5) or data[512:520] == _HDF5:
        raise DataError(f"{file.name} is of MATLAB 7.3 (HDF5), which is not read; save it again with the option -v7")
    largest = max(_inflated_sizes(data), default=0)
    if largest > LARGEST_CONTENT:
        raise DataError(f"{file.name} holds {largest} bytes once inflated; {LARGEST_CONTENT} are the most")


def _inflated_sizes(data: bytes) -> Iterator[int]:
    """What the tags of the compressed variables say of their size; nothing for other files."""
    order = {b"IM": "<u4", b"MI": ">u4"}.get(data[_HEADER - 2 : _HEADER])
    start = _HEADER
    while order is not None and start + 8 <= len(data):
        kind, length = (int(word) for word in np.frombuffer(data, order, 2, start))
        if kind == _COMPRESSED:
            try:
                tag = zlib.decompressobj().decompress(data[start + 8 : start + 8 + length], 8)
            except zlib.error:
                return  # for scipy to complain of
            if len(tag) == 8:
                yield int(np.frombuffer(tag, order, 2)[1])
        start += 8 + length
