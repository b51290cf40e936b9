from __future__ import annotations

from augkit.evaluate.gate import FAULTS, REAL, FaultResult, measure
from augkit.gate.judge import Gate
from augkit.gate.reference import ReferenceSet


def test_planted_faults_are_caught_and_real_pairs_are_not(references: ReferenceSet, gate: Gate) -> None:
    lines = {line.name: line for line in measure(references, gate, 12, lambda name, done, total: None)}
    assert set(lines) == {REAL, *FAULTS}
    assert lines[REAL].caught <= 0.15  # 44 pairs set the bounds for the other 44: one pair is 1.1 %
    assert lines[REAL].pairs == len(references.training_places)
    for fault in ("mirrored, class kept", "class of another view", "photo of one colour", "photo all black"):
        assert lines[fault].caught == 1.0, fault
    for fault in ("copied training pair", "mask speckled", "photo speckled", "photo blurred", "photo of noise"):
        assert lines[fault].caught >= 0.75, fault
    assert lines["copied training pair"].checks["copied-mask"] >= 0.75


def test_the_strictest_check_is_named_first_and_chance_is_not() -> None:
    line = FaultResult("blurred", 400, 1.0, {"rule": 0.02, "view": 0.0, "detail": 1.0, "palette": 0.0025})
    assert line.reasons == "detail 100%, rule 2%"
