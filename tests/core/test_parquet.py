"""Opening Parquet files from outside."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from augkit.core.errors import DataError
from augkit.core.parquet import open_parquet

TABLE = pa.table({"name": ["a", "b"], "size": [1, 2]})


def read_with_damaged_footers() -> None:
    """Opens and reads a small table, for each byte of its footer with that byte changed."""
    written = io.BytesIO()
    pq.write_table(TABLE, written)
    whole = written.getvalue()
    for place in range(len(whole) - 8 - int.from_bytes(whole[-8:-4], "little"), len(whole) - 8):
        damaged = whole[:place] + bytes([whole[place] ^ 0x30]) + whole[place + 1 :]
        try:
            with open_parquet(damaged, TABLE.schema, "write it again") as file:
                file.read()
        except (DataError, OSError, ValueError, pa.ArrowException):
            continue


def test_no_footer_ends_the_process() -> None:
    """A histogram of another length, said of a column, does where its metadata are asked for."""
    call = "from tests.core.test_parquet import read_with_damaged_footers as read; read()"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", call], check=False, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
