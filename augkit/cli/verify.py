"""``augkit verify``: every byte of the shards against its checksum."""

from __future__ import annotations

from typing import Annotated

import typer

from augkit.cli._app import app
from augkit.cli._session import JsonOption, WorkspaceOption, open_session
from augkit.cli._verb import Verb

_SHOWN = 5


@app.command("verify", cls=Verb)
def verify(
    shards: Annotated[
        str | None, typer.Option("--shards", help="Other shards than the workspace's: a folder or URL.")
    ] = None,
    members: Annotated[
        bool, typer.Option("--members", help="Look into every photo, mask and row even where all checksums fit.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every byte of the shards, and the index against them."""
    from dataclasses import asdict

    from rich.table import Table

    from augkit.cli._progress import Bars
    from augkit.core.errors import ShardError
    from augkit.core.storage import open_storage
    from augkit.shards import verify as checks
    from augkit.shards.index import load_manifest

    session = open_session(workspace, as_json)
    storage = open_storage(shards or session.workspace.shards)
    manifest = load_manifest(storage)
    with Bars() as bars:
        faults = checks.verify(storage, bars, members)
    size = sum(shard.tar.size + shard.aside.size for shard in manifest.shards)
    table = Table("shards", "pairs", "bytes", "faults", title=f"Shards in {storage}")
    table.add_row(str(len(manifest.shards)), str(manifest.pairs), str(size), str(len(faults)))
    result = {
        "shards": len(manifest.shards),
        "pairs": manifest.pairs,
        "bytes": size,
        "faults": [asdict(f) for f in faults],
    }
    session.emit(result, table)
    if faults:
        lines = [f"{fault.file}: {fault.kind}: {fault.detail}" for fault in faults[:_SHOWN]]
        raise ShardError(
            f"{len(faults)} faults in {storage}\n" + "\n".join(f"  {line}" for line in lines),
            "every byte as it was written",
            "delete the shards named here and run what made them again (balance, augment): it makes what is missing",
        )
