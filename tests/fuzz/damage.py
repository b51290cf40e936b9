"""Hostile values, and files damaged with them."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from augkit.shards.seal import BLANK, is_sealed, sealed

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n0 0 8 8 rectfill\nshowpage\n%%EOF\n"
HUGE = "10^400"
"""Stands for a number that no plain JSON library writes."""

VALUES: tuple[Any, ...] = (
    None, "", "x", "Z", "../../outside/x", "/etc/passwd", "a\0b", "é" * 300, "C:\\x", -1, 0, 1.5, -(2**62), 2**63, HUGE,
    float("inf"), float("nan"), [], {}, [[]], True, False, {"a": {"b": []}}, ["x"] * 50, "9" * 5000,
)  # fmt: skip

YAML = (
    "&a [*a]", "a: &a [x, x]\nb: &b [*a, *a, *a]\nc: [*b, *b]", "!!int x", "!!bool x", "[" * 3000, "{a: " * 500,
    "9" * 5000, "0x" + "f" * 5000, "2024-13-45", "!!timestamp 2024-99-99", "!!python/object/apply:os.system [id]",
    "!!binary x", "1.0e+400", ".nan", "~", "[1, {2: 3}]", "? [1]\n: 2", "'", "\x00", "<<: *x", "!!set {x}", "- " * 5000,
    str(10**60), "{x: 1, x: 2}", "-1", "1:99:99", "x" * 70_000,
)  # fmt: skip


def damage(path: Path, random: random.Random) -> None:
    """Damages a file in one of the ways that its kind can be."""
    own = OWN.get(path.suffix, _bytes)
    ways: tuple[Callable[[Path, random.Random], None], ...] = (own, own, own, _bytes, _special)  # type: ignore[name-defined]
    try:
        random.choice(ways)(path, random)
    except (ValueError, OSError, pa.ArrowException, struct.error):  # damaged before
        _bytes(path, random)


def _bytes(path: Path, random: random.Random) -> None:
    """Bits flipped, the end cut off, or something else altogether."""
    data = bytearray(path.read_bytes() if path.is_file() else b"")
    way = random.randrange(4)
    if way == 0 and data:
        for _ in range(random.randint(1, 8)):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    elif way == 1:
        del data[random.randint(0, len(data)) :]
    elif way == 2:
        data = bytearray(random.choice((b"", EPS, b"\xff" * 99, b"\0" * 999, b"{}", b"null", b"[" * 9999, b"PAR1PAR1")))
    else:
        place = random.randint(0, len(data))
        data[place:place] = random.choice((b"\0", b"\xff\xfe", b"9" * 400, b"../" * 9, b"(" * 100, b"\n" * 99))
    _put(path, bytes(data))


def _special(path: Path, random: random.Random) -> None:
    """What is no regular file, or leads elsewhere."""
    _remove(path)
    way = random.randrange(5)
    if way == 0:
        os.mkfifo(path)
    elif way == 1:
        path.symlink_to("/dev/zero")
    elif way == 2:
        path.mkdir()
    elif way == 3:
        path.symlink_to(path)
    else:
        path.symlink_to(Path("../../../outside/x").resolve())


def _json(path: Path, random: random.Random) -> None:
    """One value of the tree replaced, or its key removed; a checksum is made again."""
    text = path.read_bytes()
    tree = changed(json.loads(text), random)
    new = json.dumps(tree, indent=1).replace(f'"{HUGE}"', "1" + "0" * 400).encode()
    if is_sealed(text):
        new = re.sub(rb"augkit-sha256:[0-9a-f]{64}", BLANK.encode(), new)
        new = sealed(new) if new.count(BLANK.encode()) == 1 else new
    _put(path, new)


def changed(tree: Any, random: random.Random) -> Any:
    """A copy of plain data, of which one place is another."""
    if random.random() < 0.08 or not isinstance(tree, dict | list) or not tree:
        return random.choice(VALUES)
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    key = random.choice(keys)
    copy = tree.copy()
    if random.random() < 0.15:
        del copy[key]
    else:
        copy[key] = changed(tree[key], random)
    return copy


def _parquet(path: Path, random: random.Random) -> None:
    """One value of a column, or the column."""
    table = pq.read_table(path)
    place = random.randrange(table.num_columns)
    name, kind = table.column_names[place], table.schema.field(place).type
    way = random.randrange(5)
    if way == 0:
        table = table.drop_columns([name])
    elif way == 1:
        table = table.set_column(place, name, pa.nulls(table.num_rows, kind))
    elif way == 2:
        table = table.set_column(place, name, pa.array(["x"] * table.num_rows))
    else:
        values = table[name].to_pylist()
        values[random.randrange(len(values))] = random.choice(_of(kind))
        table = table.set_column(place, name, pa.array(values, kind))
    _remove(path)
    pq.write_table(table, path)


def _of(kind: pa.DataType) -> tuple[Any, ...]:
    if pa.types.is_string(kind):
        return tuple(value for value in VALUES if value is None or isinstance(value, str))
    if pa.types.is_list(kind):
        return None, [], [None], [0] * 5000
    if pa.types.is_boolean(kind):
        return None, True, False
    return (None, 0, -1, 2**31 - 1, -(2**31)) if not pa.types.is_floating(kind) else (None, float("nan"), -1.0, 1e300)


def _yaml(path: Path, random: random.Random) -> None:
    """A value, a line or the whole text replaced."""
    lines = path.read_text().splitlines() or [""]
    number, value = random.randrange(len(lines)), random.choice(YAML)
    way = random.randrange(3)
    if way == 0:
        lines = [value]
    else:
        lines[number] = f"{lines[number].partition(':')[0]}: {value}" if way == 1 else value
    _put(path, "\n".join(lines).encode("utf-8", "surrogatepass"))


def _picture(path: Path, random: random.Random) -> None:
    """Another format, or a header that claims what no machine has."""
    side = random.choice((1, 30_000, 2**31 - 1))
    header = struct.pack(">IIBBBBB", side, side, random.choice((8, 16)), random.choice((0, 2, 3)), 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(9999))), (b"IEND", b"")
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    _put(path, random.choice((EPS, png, png, b"GIF89a" + bytes(99), b"II*\0" + bytes(99), b"8BPS" + bytes(99))))


def _tensors(path: Path, random: random.Random) -> None:
    """The header of a safetensors file: its tensors' places, or what is written beside them."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    about = header.get("__metadata__", {})
    if about and random.random() < 0.6:
        key = random.choice(list(about))
        inner = changed(json.loads(about[key]), random) if key != "format" else random.choice(VALUES)
        about[key] = json.dumps(inner).replace(f'"{HUGE}"', "1" + "0" * 400)
    else:
        header = changed(header, random)
    text = json.dumps(header).encode()
    _put(path, len(text).to_bytes(8, "little") + text + data[8 + length :])


def _text(path: Path, random: random.Random) -> None:
    """A word replaced by a hostile one."""
    words = re.split(r"([\s,]+)", path.read_text(errors="replace"))
    words[random.randrange(len(words))] = str(random.choice((*VALUES, "1e400", "nan", "-1e300", "9" * 400)))
    _put(path, "".join(words).encode("utf-8", "replace"))


OWN = {
    ".json": _json, ".parquet": _parquet, ".yaml": _yaml, ".png": _picture, ".jpg": _picture,
    ".safetensors": _tensors, ".txt": _text, ".csv": _text, ".jsonl": _text,
}  # fmt: skip


def _put(path: Path, data: bytes) -> None:
    _remove(path)
    path.write_bytes(data)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
