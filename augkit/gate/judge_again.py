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
from augkit.gate.duplicates import KeptPairs
from augkit.gate.fit import ready_gate, settings_digest
from augkit.gate.funnel import FUNNEL_COLUMNS, funnel
from augkit.gate.judge import Gate
from augkit.gate.reference import ReferenceSet
from augkit.gate.rescore import Judge, judge_with, rescore
from augkit.gate.shard_duplicates import ShardDuplicates
from augkit.shards.commit_records import CommitRecords
from augkit.shards.index import MANIFEST_FILE, Manifest, finish, load_manifest
from augkit.shards.index_file import IndexFile
from augkit.shards.rewrite import last_manifest, settle
from augkit.shards.tallies import Counts

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
        return summary(gate, storage, workspace, {}, [], shards=False)
    manifest = last_manifest(storage)
    if manifest.schema.digest != references.schema.digest:
        raise ShardError(
            f"{storage}: shards of the parts {', '.join(manifest.schema.names[1:])}",
            f"the workspace's parts: {', '.join(references.schema.names[1:])}",
            "use the workspace that they were made in, or make them again: augkit balance --fresh",
        )
    shards, before = [shard.name for shard in manifest.shards], manifest.counts
    rewritten = rescore(storage, shards, judge_with(gate), none_told(gate))
    references.progress("shards judged", len(shards), len(shards))
    versions = manifest.versions | version_of(gate)
    if rewritten or versions != manifest.versions or not storage.exists(MANIFEST_FILE):
        finish(storage, shards, manifest.schema, manifest.plan_digest, versions)
    return summary(gate, storage, workspace, before, rewritten)


def version_of(gate: Gate) -> dict[str, str]:
    """The gate as a manifest names it."""
    return {GATE_VERSION: settings_digest(gate.references)}


def none_told(gate: Gate) -> ShardDuplicates | None:
    """What tells duplicates, by the bound on copied masks; None where nothing says how near is too near."""
    bound = gate.bounds.bounds.get("mask_distance")
    return ShardDuplicates(KeptPairs(gate.references.schema, bound.low)) if bound else None


class RunVerdicts:
    """The verdicts on the shards of one place while a run adds to them; nobody else writes these meanwhile. ``records``
    are told which shards are written anew."""

    def __init__(self, records: CommitRecords, gate: Gate) -> None:
        self._records, self._gate, self._told = records, gate, none_told(gate)

    def judge_earlier(self) -> list[str]:
        """Has all committed shards judged by this gate, before more are added to them; the names of those that changed.

        Where the manifest names another gate (or there is none, after a run that was killed) each pair is judged again,
        else duplicates alone are told, and those of the manifest's shards were.
        """
        storage = self._records.storage
        settle(storage)
        self._records.look_again()
        try:
            manifest = load_manifest(storage)
        except ShardError:
            manifest = None
        if manifest is None or manifest.versions.get(GATE_VERSION) != version_of(self._gate)[GATE_VERSION]:
            return self._rescored(self._whole(self._records.there()), judge_with(self._gate))
        names = self._records.there()
        return self._tell(self._whole(names[self._trusted(names, manifest) :]))

    def add(self, made: Sequence[str], lost: Sequence[str] = ()) -> list[str]:
        """Tells duplicates in shards that were made; in all of them again where one lies before those told, or has gone
        from among them."""
        if self._told is None:
            return []
        known = self._told.shards
        if known and (any(name <= known[-1] for name in made) or not set(known).isdisjoint(lost)):
            self._told = self._told.anew()
            self._records.look_again()
            return self._tell(self._whole(self._records.there()))
        return self._tell(sorted(made))

    def _tell(self, names: Sequence[str]) -> list[str]:
        return [] if self._told is None else self._rescored(names, None)

    def _rescored(self, names: Sequence[str], judge: Judge | None) -> list[str]:
        changed = rescore(self._records.storage, names, judge, self._told)
        self._records.forget(changed)
        return changed

    def _whole(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if self._records.facts(name) is not None]

    def _trusted(self, names: Sequence[str], manifest: Manifest) -> int:
        """How many of the shards are the first ones of the manifest, and were told with it."""
        known, count = {shard.name: shard.commit for shard in manifest.shards}, 0
        for name, other in zip(names, sorted(known), strict=False):
            commit = self._records.read(name) if name == other else None
            same = commit is not None and commit.sha256 == known[name]
            if commit is None or not same or self._told is None or not self._told.trust(commit):
                break
            count += 1
        return count


def summary(
    gate: Gate,
    storage: Storage,
    workspace: Workspace,
    before: Counts,
    rewritten: Sequence[str],
    *,
    shards: bool = True,
) -> dict[str, Any]:
    """The funnel, written for the report; ``changed`` has the accepted pairs of classes where their number changed.
    Without ``shards`` the data set is not begun."""
    index = IndexFile(storage) if shards else None
    result = funnel(() if index is None else index.tables(FUNNEL_COLUMNS), gate)
    after = index.manifest.counts if index is not None else {}
    was, now = ({n: by.get("generated", {}).get("accepted", 0) for n, by in c.items()} for c in (before, after))
    changed = {name: (was[name], now.get(name, 0)) for name in was if was[name] != now.get(name, 0)}
    path = workspace.reports / "gate.json"
    result |= {"changed": changed, "rewritten": list(rewritten), "report": by_url(str(path))}
    write_json(path, result)
    return result
