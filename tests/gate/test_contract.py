"""What every check of the gate must do. A file that is dropped into ``augkit/gate/checks`` is tested as it comes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from augkit.balance.plain_options import open_references
from augkit.core.workspace import Workspace
from augkit.data.pair import UnpaintedMask
from augkit.gate.candidate import Candidate
from augkit.gate.gate_check import CHECKS, FittedState, GateCheck
from augkit.gate.judge import real_pair
from augkit.gate.reference import ReferenceSet
from augkit.settings import Settings

NAMES = sorted(CHECKS)
QUICK = {"steps": 2, "size": 32, "sample_every": 2, "save_every": 2}
"""Of the segmenters: how good they are does not matter here."""


@pytest.fixture(scope="module")
def all_references(
    fitted: Workspace, gate_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> ReferenceSet:
    """References of all checks, with a folder of their own."""
    segmenter = gate_settings.gate.segmenter.model_copy(update=QUICK)
    gate = gate_settings.gate.model_copy(update={"checks": tuple(NAMES), "segmenter": segmenter})
    references = open_references(fitted, gate_settings.model_copy(update={"gate": gate}))
    return replace(references, folder=tmp_path_factory.mktemp("checks"))


@pytest.fixture(scope="module", params=NAMES)
def check(request: pytest.FixtureRequest, all_references: ReferenceSet) -> GateCheck:
    """Fitted, written down, read, and built again, as a worker does."""
    kind = CHECKS[str(request.param)]
    kept = kind.fit(all_references)
    file: Path = all_references.folder / f"{request.param}.safetensors"
    save_file(kept.tensors, file)
    return kind(FittedState(load_file(file), kept.facts), all_references)


@pytest.fixture
def candidate(check: GateCheck, all_references: ReferenceSet) -> Candidate:
    """A real pair, as far as the check may see it."""
    pair = real_pair(all_references, 0)
    return replace(pair, shown=UnpaintedMask(pair.mask, pair.car_class)) if check.stage == "mask" else pair


def test_no_two_checks_give_one_score() -> None:
    given = Counter(score for name in NAMES for score in CHECKS[name].sides)
    assert [score for score, count in given.items() if count > 1] == []
    assert all(CHECKS[name].sides for name in NAMES), "a check without a bound rejects nothing"


def test_a_bounded_score_is_bad_at_one_end_at_least(check: GateCheck) -> None:
    assert check.stage in ("mask", "photo")
    assert all(low or high for low, high in check.sides.values())


def test_scores_are_finite_the_same_each_time_and_change_nothing(check: GateCheck, candidate: Candidate) -> None:
    before = candidate.mask.copy()
    scores = check.score(candidate)
    assert scores == check.score(candidate) and all(math.isfinite(value) for value in scores.values())
    assert set(check.sides) <= set(scores), "a bound on a score that is never given"
    assert (candidate.mask == before).all()
