"""Fitting the gate once, and finding it again.

WORKSPACE/gate/
  CHECK.safetensors    what a check learnt
  segmenter-0/ ...     the segmenters of the check ``agreement``
  real.json            scores of the training pairs, each judged by what was fitted without it, and floors of scores
  gate.json            fingerprints of data and settings, bounds with their quantile; written last
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from typing_extensions import TypedDict

from augkit.core.atomic_file import replacing, write_json
from augkit.core.disk_faults import as_os_error
from augkit.core.errors import CheckpointError
from augkit.core.lock import held
from augkit.core.regular_file import ANNOTATIONS
from augkit.core.typed import read_json
from augkit.gate.bounds import Bound, ScoreBounds, fit_bounds
from augkit.gate.gate_check import CHECKS, FittedState, GateCheck
from augkit.gate.judge import RULE_SIDES, Gate, real_pair
from augkit.gate.reference import ReferenceSet

GATE_FILE, REAL_FILE = "gate.json", "real.json"
FORMAT = 3
OPEN = ScoreBounds({}, 0.0, 0.0)
"""No bounds at all."""


@dataclass(frozen=True)
class RealScores:
    """Scores of training pairs by id, whether the rule takes each for another view, and the scores' ``floors``."""

    ids: list[str]
    scores: list[dict[str, float]]
    rejected: list[bool]
    floors: dict[str, float]

    def among(self, ids: Container[str]) -> RealScores:
        """Those of some pairs."""
        places = [place for place, id in enumerate(self.ids) if id in ids]
        chosen, scores = [self.ids[place] for place in places], [self.scores[place] for place in places]
        rejected = [self.rejected[place] for place in places] if self.rejected else []
        return RealScores(chosen, scores, rejected, self.floors)


class _WrittenGate(TypedDict, total=False):
    format: int
    judges: str
    settings: str
    facts: dict[str, dict[str, Any]]
    bounds: dict[str, tuple[float | None, float | None]]
    quantile: float
    rejected_real: float
    real: int


def ready_gate(references: ReferenceSet, again: bool = False) -> Gate:
    """The workspace's gate; fitted first where there is none, or data or settings have changed since (or ``again``).

    Raises BusyError where another command fits it.
    """
    if not references.options.checks or (not again and is_ready(references)):
        return load_gate(references)
    with held(references.folder):
        if again or not has_judges(references):
            _fit_judges(references)
        if _read(references.folder).get("settings") != settings_digest(references):
            _fit_bounds(references)
        return load_gate(references)


def has_judges(references: ReferenceSet) -> bool:
    """Whether all that has to be trained is there; bounds are set in seconds."""
    return not references.options.checks or _read(references.folder).get("judges") == judges_digest(references)


def is_ready(references: ReferenceSet) -> bool:
    """Whether ``load_gate`` would find a gate of these data and settings; without checks there is nothing to fit."""
    if not references.options.checks:
        return True
    about = _read(references.folder)
    return (about.get("judges"), about.get("settings")) == (judges_digest(references), settings_digest(references))


def load_gate(references: ReferenceSet) -> Gate:
    """The gate that was fitted before. Raises CheckpointError where it is not this data set's and these settings'."""
    about = _read(references.folder)
    if not references.options.checks:
        return Gate(references, {}, OPEN)
    if not is_ready(references):
        found = "judges of other data or settings" if about else "no fitted gate"
        raise CheckpointError(
            f"{references.folder}: {found}", "a gate fitted on this workspace's pairs with these settings",
            "run augkit gate",
        )  # fmt: skip
    bounds = {name: Bound(*_opened(limits)) for name, limits in about["bounds"].items()}
    return Gate(references, _checks(references, about), ScoreBounds(bounds, about["quantile"], about["rejected_real"]))


def real_scores(references: ReferenceSet) -> RealScores:
    """What the fit noted of the training pairs; earlier versions scored held-out ones beside them."""
    try:
        noted = read_json(RealScores, references.folder / REAL_FILE, ANNOTATIONS)
        if len(noted.scores) != len(noted.ids) or len(noted.rejected) not in (0, len(noted.ids)):
            raise ValueError(f"{REAL_FILE}: lists of different lengths")
        return noted.among(references.folds.numbers)
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{references.folder}: {error}", "a fitted gate", "run augkit gate --refit") from error


def judges_digest(references: ReferenceSet) -> str:
    """What the judges were fitted from."""
    options = references.options
    cut = ("id", "sha256", "group", "split", "orientation", "doors", "crop_x", "crop_y", "crop_side", "size")
    facts = [[getattr(row, name) for name in cut] + list(row.histogram) for row in references.rows]
    return _digest(
        {
            "rows": facts, "schema": references.schema.digest, "seed": options.seed, "size": options.size,
            "mask_size": options.mask_size, "stored": [options.quality, options.lossless],
            "gate": options.of_judges() | {"segmenter": dict(references.segmenters.facts)},
        }
    )  # fmt: skip


def settings_digest(references: ReferenceSet) -> str:
    """What the whole gate follows from: the judges, and the settings of the bounds."""
    bounds = references.options.of_bounds() | {"pairs": "training", "rule": list(RULE_SIDES)}
    return _digest({"judges": judges_digest(references), "bounds": bounds})


def _fit_judges(references: ReferenceSet) -> None:
    folder = references.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / GATE_FILE).unlink(missing_ok=True)
    facts: dict[str, Any] = {}
    floors: dict[str, float] = {}
    for name in references.options.checks:
        kept = CHECKS[name].fit(references)
        path = folder / f"{name}.safetensors"
        with replacing(path) as temporary, as_os_error(path, SafetensorError):
            save_file(kept.tensors, temporary)
        facts[name] = kept.facts
        floors |= kept.floors
    about = {"format": FORMAT, "judges": judges_digest(references), "facts": facts}
    gate = Gate(references, _checks(references, about), OPEN)
    ids, scores = [references.rows[place].id for place in references.training_places], []
    for done, place in enumerate(references.training_places, 1):
        pair = real_pair(references, place)
        scores.append(gate.scores(pair, "mask") | gate.scores(pair, "photo"))
        references.progress("gate: real pairs judged", done, len(ids))
    write_json(folder / REAL_FILE, {"ids": ids, "scores": scores, "rejected": [], "floors": floors})
    write_json(folder / GATE_FILE, about)


def _fit_bounds(references: ReferenceSet) -> None:
    folder, about = references.folder, _read(references.folder)
    gate = Gate(references, _checks(references, about), OPEN)
    real, rejected, scores = real_scores(references), [], []
    places = {references.rows[place].id: place for place in references.training_places}
    for id, known in zip(real.ids, real.scores, strict=True):
        rule = gate.rule(real_pair(references, places[id]))
        rejected.append(any(reason.startswith("view:") for reason in rule.reasons))
        scores.append(known | rule.scores)
    real = RealScores(real.ids, scores, rejected, real.floors)
    bounds = fit_bounds(scores, gate.sides, np.array(rejected, np.bool_), references.options.budget, real.floors)
    write_json(folder / REAL_FILE, vars(real))
    limits = {name: [_closed(bound.low), _closed(bound.high)] for name, bound in bounds.bounds.items()}
    about |= {
        "settings": settings_digest(references), "bounds": limits, "quantile": bounds.quantile,
        "rejected_real": bounds.rejected_real, "real": len(real.ids),
    }  # fmt: skip
    write_json(folder / GATE_FILE, about)


def _checks(references: ReferenceSet, about: dict[str, Any]) -> dict[str, GateCheck]:
    found: dict[str, GateCheck] = {}
    for name in references.options.checks:
        try:
            kept = FittedState(load_file(references.folder / f"{name}.safetensors"), about["facts"][name])
            found[name] = CHECKS[name](kept, references)
        except (OSError, LookupError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(
                f"{references.folder}: the check {name}: {error}", "what a fit of this version left",
                "run augkit gate --refit",
            ) from error  # fmt: skip
    return found


def _read(folder: Path) -> dict[str, Any]:
    """The gate's file; empty where there is none of this version."""
    try:
        about = dict(read_json(_WrittenGate, folder / GATE_FILE))
    except (OSError, ValueError):
        return {}
    whole = "settings" not in about or {"bounds", "quantile", "rejected_real"} <= about.keys()
    return about if about.get("format") == FORMAT and whole else {}


def _digest(tree: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(tree, sort_keys=True).encode()).hexdigest()


def _closed(limit: float) -> float | None:
    return limit if np.isfinite(limit) else None


def _opened(limits: Sequence[float | None]) -> tuple[float, float]:
    low, high = limits
    return -np.inf if low is None else low, np.inf if high is None else high
