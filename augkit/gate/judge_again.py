"""`augkit gate` as a function, and what `augkit balance` does with its shards at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from augkit.core.atomic_file import write_json
from augkit.core.errors import ShardError
from augkit.core.lock import held
from augkit.core.remote_workspace import by_url
from augkit.core.storage import Storage, open_storage
from augkit.core.workspace import SHARDS, Workspace
from augkit.gate.duplicates import KeptPairs, NoDuplicates
from augkit.gate.fit import ready_gate, settings_digest
from augkit.gate.funnel import funnel
from augkit.gate.judge import Gate
from augkit.gate.reference import ReferenceSet
from augkit.gate.rescore import Judge, judge_with, keep, rescore
from augkit.shards.commit import committed_shards
from augkit.shards.index import MANIFEST_FILE, Counts, finish, load_index, load_manifest
from augkit.shards.rewrite import last_manifest, settle

GATE_VERSION = "gate"
"""The key of the manifest's versions that names the gate which judged its pairs."""


def judge_again(references: ReferenceSet, refit: bool) -> dict[str, Any]:
    """Fits the gate where needed, judges all generated pairs of the shards again and writes ``reports/gate.json``.

    Where there are no shards yet the gate is fitted only. Raises ShardError for shards of another part schema, and
    BusyError where another command writes the gate or the shards.
    """
    with held(references.workspace.root / SHARDS, around=(references.workspace.root, references.workspace.reports)):
        return _judged_again(references, refit)


def _judged_again(references: ReferenceSet, refit: bool) -> dict[str, Any]:
    workspace = references.workspace
    gate, storage = ready_gate(references, refit), open_storage(workspace.shards)
    settle(storage)
    if not storage.names():
        return summary(gate, storage, workspace, {}, [])
    manifest = last_manifest(storage)
    if manifest.schema.digest != references.schema.digest:
        raise ShardError(
            f"{storage}: shards of the parts {', '.join(manifest.schema.names[1:])}",
            f"the workspace's parts: {', '.join(references.schema.names[1:])}",
            "use the workspace that they were made in, or make them again: augkit balance --fresh",
        )
    shards, before = [shard.name for shard in manifest.shards], manifest.counts
    rewritten = mark(storage, shards, gate, judge_with(gate))
    references.progress("shards judged", len(shards), len(shards))
    versions = manifest.versions | version_of(gate)
    if rewritten or versions != manifest.versions or not storage.exists(MANIFEST_FILE):
        finish(storage, shards, manifest.schema, manifest.plan_digest, versions)
    return summary(gate, storage, workspace, before, rewritten)


def version_of(gate: Gate) -> dict[str, str]:
    """The gate as a manifest names it."""
    return {GATE_VERSION: settings_digest(gate.references)}


def judge_earlier(storage: Storage, gate: Gate) -> list[str]:
    """Has all committed shards judged by this gate, before more are added to them; see ``mark``.

    Where the manifest names another gate (or there is none, after a run that was killed) each pair is judged again,
    else only duplicates are told.
    """
    try:
        known = load_manifest(storage).versions
    except ShardError:
        known = {}
    same = known.get(GATE_VERSION) == version_of(gate)[GATE_VERSION]
    return mark(storage, committed_shards(storage), gate, keep if same else judge_with(gate))


def mark(storage: Storage, shards: Sequence[str], gate: Gate, judge: Judge = keep) -> list[str]:
    """See ``rescore``; duplicates are judged by the bound on copied masks. The pass after generation keeps verdicts."""
    bound = gate.bounds.bounds.get("mask_distance")
    if bound is None and judge is keep:
        return []  # nothing can be a duplicate, and all verdicts stay
    return rescore(storage, shards, judge, KeptPairs(gate.references.schema, bound.low) if bound else NoDuplicates())


def summary(
    gate: Gate, storage: Storage, workspace: Workspace, before: Counts, rewritten: Sequence[str]
) -> dict[str, Any]:
    """The funnel, written for the report; ``changed`` has the accepted pairs of classes where their number changed."""
    rows = load_index(storage).to_pylist() if storage.names() else []
    result = funnel(rows, gate)
    after = load_manifest(storage).counts if rows else {}
    was, now = ({n: by.get("generated", {}).get("accepted", 0) for n, by in c.items()} for c in (before, after))
    changed = {name: (was[name], now.get(name, 0)) for name in was if was[name] != now.get(name, 0)}
    path = workspace.reports / "gate.json"
    result |= {"changed": changed, "rewritten": list(rewritten), "report": by_url(str(path))}
    write_json(path, result)
    return result
