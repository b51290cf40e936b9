"""Judging the pairs in finished shards again, without making any, and telling duplicates among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from augkit.core.classes import CarClass
from augkit.core.errors import ShardError
from augkit.core.parts import Mask, histogram
from augkit.core.storage import Storage
from augkit.data.near_duplicates import thumb
from augkit.data.pair import Pair
from augkit.data.photo_looks import look_of
from augkit.data.whole_car import without_body
from augkit.gate.candidate import Candidate, Verdict
from augkit.gate.duplicates import REASON, SCORE
from augkit.gate.judge import Gate, judge_painted
from augkit.gate.shard_duplicates import JUDGED, ShardDuplicates, Told
from augkit.shards.codec import decode_mask, decode_photo, encode_mask
from augkit.shards.commit import Commit, aside_file, commit_file, read_commit, tar_file
from augkit.shards.index import with_later
from augkit.shards.reader import StoredPair, read_stored
from augkit.shards.rewrite import Staged, publish, settle
from augkit.shards.writer import SCORE as COLUMN
from augkit.shards.writer import PairRecord, ShardWriter

Judge = Callable[[PairRecord, StoredPair], "Judged"]
"""What a gate says of a stored pair that stands alone."""


@dataclass(frozen=True)
class Judged:
    """A stored pair with its verdict: the record, and the bytes of the mask to train with."""

    record: PairRecord
    mask: bytes


def judge_with(gate: Gate) -> Judge:
    """Scores a stored pair as if it had just been painted."""

    def judge(record: PairRecord, stored: StoredPair) -> Judged:
        whole = decode_mask(stored.full)
        exact = without_body(whole, gate.references.schema.channels)
        pair = Pair(decode_photo(stored.photo), exact, CarClass.parse(f"{record.orientation}-{record.doors}"))
        candidate = Candidate(pair, record.exemplar, given=_without(record.scores), read=record.source == "pseudo")
        mask, verdict = judge_painted(gate, candidate, gate.judge_mask(candidate))
        looked = replace(record, look=record.look or look_of(thumb(pair.photo)))
        return Judged(_with(looked, verdict, mask), encode_mask(mask) if (mask != whole).any() else stored.full)

    return judge


def rescore(
    storage: Storage, shards: Sequence[str], judge: Judge | None, duplicates: ShardDuplicates | None
) -> list[str]:
    """Judges what is ``JUDGED`` of committed shards in their order, if a ``judge`` is given, and tells ``duplicates``
    among them and those that were told before, if any can be.

    Shards with other verdicts are written anew, all together or not at all; returns their names. After that the index
    has to be finished again. Pairs that were rejected before they were painted have no bytes and stay as they are.
    Raises ShardError where a shard is not committed or bytes have changed.
    """
    settle(storage)
    staged = Staged(storage)

    def source_of(name: str) -> tuple[Storage, Commit]:
        again = read_commit(staged, name)
        return (staged, again) if again is not None else (storage, _require_commit(storage, name))

    if judge is not None:
        for name in shards:
            _rewrite(storage, _require_commit(storage, name), staged, lambda _, *pair: judge(*pair))
    for name, told in (duplicates.tell(shards, source_of) if duplicates is not None else {}).items():
        source, commit = source_of(name)
        if _differs(commit, told):
            _rewrite(source, commit, staged, lambda place, *pair, told=told: _with_told(told.get(place), *pair))
    changed = [name for name in shards if _has_changed(storage, staged, name)]
    if changed:
        publish(storage)
    else:
        settle(storage)
    return changed


def _rewrite(
    source: Storage, commit: Commit, target: Storage, change: Callable[[int, PairRecord, StoredPair], Judged]
) -> None:
    """Writes the shard with what becomes of its judged pairs, which are told their places; not where nothing does."""
    writer, changed = ShardWriter(target, commit.name), False
    if JUDGED.isdisjoint(commit.table["source"].to_pylist()):
        return  # nothing to judge; in shards of earlier versions real pairs of all splits lie together
    for place, row in enumerate(commit.table.to_pylist()):
        record = record_of(row)
        if row["shard"] is None:
            writer.reject(record)
            continue
        stored = read_stored(source, row)
        judged = change(place, record, stored) if record.source in JUDGED else Judged(record, stored.mask)
        changed |= judged.record != record or judged.mask != stored.mask
        full = stored.full if judged.mask != stored.full else None
        writer.add(judged.record, stored.photo, row["photo_ext"], judged.mask, full)
    if changed:
        writer.commit(commit.row_digest)


def _with_told(told: Told | None, record: PairRecord, stored: StoredPair) -> Judged:
    """The record with what was told of it; a pair that is rejected otherwise is not compared."""
    scores, reasons = _without(record.scores), [reason for reason in record.reasons if reason != REASON]
    if told is None:
        return Judged(replace(record, scores=scores, reasons=reasons, accepted=not reasons), stored.mask)
    scores, reasons = scores | {SCORE: told.distance}, [*reasons, REASON] if told.twice else reasons
    return Judged(replace(record, scores=scores, reasons=reasons, accepted=not reasons, look=told.look), stored.mask)


def _differs(commit: Commit, told: dict[int, Told]) -> bool:
    """Whether the record says something else than what was told, without a look at any pair."""
    table, score = with_later(commit.table), COLUMN + SCORE
    scores = table[score].to_pylist() if score in table.column_names else [None] * len(table)
    looks = table["look"].to_pylist()
    for place, reasons in enumerate(table["reasons"].to_pylist()):
        found = told.get(place)
        if scores[place] != (found and found.distance) or (REASON in reasons) != bool(found and found.twice):
            return True
        if found and looks[place] is None:
            return True
    return False


def _require_commit(storage: Storage, name: str) -> Commit:
    commit = read_commit(storage, name)
    if commit is None:
        raise ShardError(f"{storage}: {name} is not committed", "a finished data set", "run augkit balance first")
    return commit


def _has_changed(storage: Storage, staged: Staged, name: str) -> bool:
    """Whether what is staged is another shard; else it is not to be put in place."""
    again = read_commit(staged, name)
    if again is None:
        return False
    if again.sha256 != _require_commit(storage, name).sha256:
        return True
    for file in (commit_file(name), tar_file(name), aside_file(name)):
        staged.remove(file)
    return False


def _without(scores: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in scores.items() if name != SCORE}


def record_of(row: dict[str, Any]) -> PairRecord:
    """The record of a row of the index."""
    plain = {field.name: row[field.name] for field in fields(PairRecord) if field.name in row}
    scores = {n.removeprefix(COLUMN): v for n, v in row.items() if n.startswith(COLUMN) and v is not None}
    return PairRecord(**plain | {"scores": scores, "look": row.get("look") or b""})


def _with(record: PairRecord, verdict: Verdict, mask: Mask) -> PairRecord:
    counts = histogram(mask, len(record.histogram)).tolist()
    return replace(
        record, scores=verdict.scores, reasons=verdict.reasons, accepted=not verdict.reasons, histogram=counts
    )
