"""Opening Parquet files from outside."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import suppress
from itertools import product
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from augkit.core.errors import DataError
from augkit.core.parquet import open_parquet

TABLE = pa.table({"name": ["a", "b"], "size": [1, 2]})


def read_with_damaged_footers() -> None:
    """Opens and reads a small table, for each byte of its footer with some bits of that changed."""
    written = io.BytesIO()
    pq.write_table(TABLE, written)
    whole = written.getvalue()
    footer = range(len(whole) - 8 - int.from_bytes(whole[-8:-4], "little"), len(whole) - 8)
    for place, bits in product(footer, (0x30, 0x80)):
        damaged = whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :]
        with suppress(DataError), open_parquet(damaged, TABLE.schema, "write it again") as file:
            try:
                file.read()
            except (OSError, ValueError, pa.ArrowException):
                continue


def test_no_footer_ends_the_process() -> None:
    """Nor raises anything but DataError: not a name that is no UTF-8, nor a histogram of another length, which ends the
    process where the metadata of its column are asked for."""
    call = "from tests.core.test_parquet import read_with_damaged_footers as read; read()"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", call], check=False, capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr
