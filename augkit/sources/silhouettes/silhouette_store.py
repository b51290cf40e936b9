"""Silhouettes of a workspace on disk: one grey PNG a pair, and the table that says how they were found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from augkit.core.atomic_file import replacing, write_bytes
from augkit.core.decoding import decoded
from augkit.core.errors import DataError
from augkit.core.inside import Id
from augkit.core.parquet import read_rows
from augkit.core.regular_file import PICTURE, read_regular
from augkit.core.typed import Finite, NotNegative
from augkit.core.workspace import Workspace
from augkit.data.crop import Region

NO_CAR = "no car"
BELOW = "below the score"

_AGAIN = "run `augkit silhouettes --fresh`"
_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("method", pa.string()),
        ("score", pa.float64()),
        ("box", pa.list_(pa.float64())),
        ("area", pa.int64()),
        ("dropped", pa.string()),
        ("key", pa.string()),
    ]
)


@dataclass(frozen=True)
class SilhouetteRow:
    """How one pair's silhouette was found.

    ``box`` is x0, y0, x1, y1 in pixels of the canonical pair, ``area`` in pixels. ``dropped`` says why there is no
    picture, and is empty where there is one. ``key`` is a digest of the pair, the method and its options: the row is
    good as long as they are the same.
    """

    id: Id
    method: str
    key: str
    score: Finite = 0.0
    box: list[Finite] = field(default_factory=list)
    area: NotNegative = 0
    dropped: str = ""


def table_path(workspace: Workspace) -> Path:
    """One row a pair that was looked at."""
    return workspace.bring(workspace.root / "silhouettes.parquet")


def read_table(workspace: Workspace) -> list[SilhouetteRow]:
    """All rows, those of dropped detections too; none where nothing was looked for. Raises DataError."""
    again = f"delete it and {_AGAIN}"
    return read_rows(list[SilhouetteRow], table_path(workspace), _SCHEMA, "the table of silhouettes", again)


def write_table(workspace: Workspace, rows: Iterable[SilhouetteRow]) -> None:
    """Writes all rows."""
    with replacing(table_path(workspace)) as temporary:
        pq.write_table(pa.Table.from_pylist([asdict(row) for row in rows], schema=_SCHEMA), temporary)


def write_silhouette(path: Path, silhouette: Region) -> None:
    """Writes an (H, W) silhouette as 8-bit grey."""
    write_bytes(path, cv2.imencode(".png", silhouette.astype(np.uint8) * 255)[1].tobytes())


def read_silhouette(path: Path) -> Region:
    """(H, W) silhouette. Raises DataError where the file is missing or not 8-bit grey."""
    picture = decoded(read_regular(path, PICTURE) if path.is_file() else b"", cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim != 2 or picture.dtype != np.uint8:
        raise DataError(f"{path}: no silhouette", "an 8-bit grey PNG, 0 and 255", _AGAIN)
    return np.asarray(picture > 127)
