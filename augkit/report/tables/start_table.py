"""What ``augkit paint from`` tells: how near the scales come that a painting may start at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table


def start_tables(result: Mapping[str, Any]) -> Group:
    """Of the verb's result: a row a scale, then what the poses differ in, and where the pictures are."""
    table = Table("start scale", title="SIFID by start scale")
    for column in ("Sp, to the painting", "St, to the photo", "M"):
        table.add_column(column, justify="right")
    for start in result["starts"]:
        mark = " (chosen)" if start["start"] == result["start"] else ""
        figures = (f"{start[name]:.3f}" for name in ("to_painting", "to_photo", "M"))
        table.add_row(f"{start['start']}{mark}", *figures)
    table.caption = f"M = Sp + St + |Sp - St|; features of {result['extractor']}, {result['layer']}"
    warnings = [f"the poses differ: {difference}" for difference in result["pose_differences"]]
    if warnings:
        warnings.append("the photo's textures may land on the wrong parts; train on a photo in the mask's pose")
    places = [f"pictures: {', '.join(result['pictures'])}", f"side by side: {result['sheet']}"]
    places += [f"shard: {result['shard']} in {result['shards']}"] if "shard" in result else []
    return Group(table, *warnings, *places)
