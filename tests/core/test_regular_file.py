from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from augkit.core.regular_file import IrregularFileError, open_regular, read_plain, read_regular, size_of_regular


def test_a_regular_file_is_read_through_links(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbf\xc3\xa9")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert read_plain(tmp_path / "b", 10) == "é" and len(read_regular(tmp_path / "a", 5)) == 5
    assert size_of_regular(tmp_path / "b", 5) == 5
    for read in (read_regular, open_regular, size_of_regular):
        with pytest.raises(IrregularFileError, match="a has 5 bytes; 4 are the most"):
            read(tmp_path / "a", 4)
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none", 4)


def test_nothing_else_is_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name, kind in (("pipe", "a pipe"), ("endless", "a device"), ("folder", "a folder")):
        for read in (read_regular, open_regular, size_of_regular):
            with pytest.raises(IrregularFileError, match=f"{name} is {kind}, no regular file"):
                read(tmp_path / name, 2**30)
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match=r"socket|No such device"):
            read_regular(tmp_path / "socket", 9)
