"""Pairs that the gate judges on their way into a shard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from augkit.core.classes import CarClass
from augkit.core.parts import Mask
from augkit.data.near_duplicates import thumb
from augkit.data.pair import Pair
from augkit.data.photo_looks import look_of
from augkit.gate.candidate import Candidate, Verdict
from augkit.gate.judge import Gate, judge_painted
from augkit.shards.codec import decode_photo, encode_mask
from augkit.shards.writer import PairRecord, ShardWriter

RecordOf = Callable[[Mask, Verdict], PairRecord]
"""The record of a pair with that mask to train with, and that verdict."""


def add_judged(
    writer: ShardWriter, gate: Gate, photo: tuple[bytes, str], mask: Mask, car_class: CarClass, *, before: Verdict,
    record_of: RecordOf, exemplar: str = "", whole: Mask | None = None, read: bool = False,
) -> Verdict:  # fmt: skip
    """Writes the pair of a photo (bytes, extension) and an exact mask that was judged ``before``; the whole verdict.

    ``whole`` is the exact mask with the body, where that was drawn; ``read`` as in ``Candidate``. Judged as it is
    stored, so that it can be judged again; with the look that duplicates are searched by.
    """
    candidate = Candidate(Pair(decode_photo(photo[0]), mask, car_class), exemplar, read=read)
    trained, verdict = judge_painted(gate, candidate, before)
    exact = mask if whole is None else whole
    full = encode_mask(exact) if (trained != exact).any() else None
    record = replace(record_of(trained, verdict), look=look_of(thumb(candidate.pair.photo)))
    writer.add(record, *photo, encode_mask(trained), full)
    return verdict
