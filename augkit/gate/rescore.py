"""Judging the pairs in finished shards again, without making any, and telling duplicates among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from augkit.core.classes import CarClass
from augkit.core.errors import ShardError
from augkit.core.parts import Mask, histogram
from augkit.core.storage import Storage
from augkit.data.pair import Pair
from augkit.gate.candidate import Candidate, Verdict
from augkit.gate.duplicates import REASON, SCORE, KeptPairs, NoDuplicates
from augkit.gate.judge import Gate, judge_painted
from augkit.shards.codec import decode_mask, decode_photo, encode_mask
from augkit.shards.commit import Commit, read_commit
from augkit.shards.reader import StoredPair, read_stored
from augkit.shards.rewrite import Staged, publish, settle
from augkit.shards.writer import SCORE as COLUMN
from augkit.shards.writer import PairRecord, ShardWriter

Judge = Callable[[PairRecord, StoredPair], "Judged"]

JUDGED = frozenset({"generated", "pseudo"})
"""Sources of pairs that the gate judges."""


@dataclass(frozen=True)
class Judged:
    """A stored pair with its verdict: the record, and the bytes of the mask to train with."""

    record: PairRecord
    mask: bytes


def judge_with(gate: Gate) -> Judge:
    """Scores a stored pair as if it had just been painted."""

    def judge(record: PairRecord, stored: StoredPair) -> Judged:
        exact = decode_mask(stored.full)
        pair = Pair(decode_photo(stored.photo), exact, CarClass.parse(f"{record.orientation}-{record.doors}"))
        candidate = Candidate(pair, record.exemplar, given=_without(record.scores))
        mask, verdict = judge_painted(gate, candidate, gate.judge_mask(candidate))
        return Judged(_with(record, verdict, mask), encode_mask(mask) if (mask != exact).any() else stored.full)

    return judge


def keep(record: PairRecord, stored: StoredPair) -> Judged:
    """The verdict as it is, but for duplicates, which depend on the other pairs."""
    reasons = [reason for reason in record.reasons if reason != REASON]
    return Judged(replace(record, reasons=reasons, accepted=not reasons), stored.mask)


def rescore(storage: Storage, shards: Sequence[str], judge: Judge, nothing: KeptPairs | NoDuplicates) -> list[str]:
    """Judges what is ``JUDGED`` of committed shards in their order, and marks duplicates; ``nothing`` seen so far.

    Shards with other verdicts are written anew, all together or not at all; returns their names. After that the index
    has to be finished again. Pairs that were rejected before they were painted have no bytes and stay as they are.
    Raises ShardError where a shard is not committed or bytes have changed.
    """
    settle(storage)
    seen: dict[str, KeptPairs | NoDuplicates] = {}
    changed = []
    for name in shards:
        commit = read_commit(storage, name)
        if commit is None:
            raise ShardError(f"{storage}: {name} is not committed", "a finished data set", "run augkit balance first")
        if JUDGED.isdisjoint(commit.table["source"].to_pylist()):
            continue  # nothing to judge; in shards of earlier versions real pairs of all splits lie together
        writer = ShardWriter(Staged(storage), name)
        if _judge_shard(storage, commit, judge, lambda c: seen.setdefault(c, nothing.anew()), writer):
            writer.commit(commit.row_digest)
            changed.append(name)
    if changed:
        publish(storage)
    return changed


def _judge_shard(
    storage: Storage,
    commit: Commit,
    judge: Judge,
    seen_of: Callable[[str], KeptPairs | NoDuplicates],
    writer: ShardWriter,
) -> bool:
    """Fills the writer with the shard's rows; whether any of them changed."""
    changed = False
    for row in commit.table.to_pylist():
        record = record_of(row)
        if row["shard"] is None:
            writer.reject(record)
            continue
        stored = read_stored(storage, row)
        judged = Judged(record, stored.mask)
        if record.source in JUDGED:
            judged = _tell_duplicate(judge(record, stored), stored, seen_of(row["class"]))
        changed |= judged.record != record or judged.mask != stored.mask
        full = stored.full if judged.mask != stored.full else None
        writer.add(judged.record, stored.photo, row["photo_ext"], judged.mask, full)
    return changed


def _tell_duplicate(judged: Judged, stored: StoredPair, seen: KeptPairs | NoDuplicates) -> Judged:
    """Only what is accepted otherwise is compared: a rejected pair takes no place."""
    record = judged.record
    if record.reasons:
        return replace(judged, record=replace(record, scores=_without(record.scores)))
    found, twice = seen.judge(decode_mask(stored.full), decode_photo(stored.photo))
    reasons = [REASON] if twice else []
    scores = _without(record.scores) | found
    return replace(judged, record=replace(record, scores=scores, reasons=reasons, accepted=not reasons))


def _without(scores: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if name != SCORE}


def record_of(row: dict[str, Any]) -> PairRecord:
    """The record of a row of the index."""
    plain = {field.name: row[field.name] for field in fields(PairRecord) if field.name in row}
    scores = {n.removeprefix(COLUMN): v for n, v in row.items() if n.startswith(COLUMN) and v is not None}
    return PairRecord(**plain | {"scores": scores})


def _with(record: PairRecord, verdict: Verdict, mask: Mask) -> PairRecord:
    counts = histogram(mask, len(record.histogram)).tolist()
    return replace(
        record, scores=verdict.scores, reasons=verdict.reasons, accepted=not verdict.reasons, histogram=counts
    )
