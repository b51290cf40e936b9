"""What the gate is worth: faults planted in real pairs, and the share that it catches, beside real pairs it rejects.

The bounds are set on one half of the real pairs and measured on the other, both ways; near duplicates are in one half.
Each real pair is judged by what was fitted without it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from augkit.core.classes import ALL_CLASSES
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.data.crop import Photo
from augkit.gate.bounds import ScoreBounds, fit_bounds
from augkit.gate.candidate import Candidate
from augkit.gate.fit import RealScores, real_scores
from augkit.gate.judge import RULE, Gate, real_pair
from augkit.gate.reference import ReferenceSet

REAL = "real, unchanged"


@dataclass(frozen=True)
class PlantedCase:
    """``real`` is a pair to spoil; and where chance comes from.

    ``other`` is a held-out pair of the same class (of the view where there is none), whose mask is no training mask;
    ``known`` is the real one itself where it is one for training, else one that is; its photo as a shard gives it back.
    """

    real: Candidate
    other: Candidate
    known: Candidate
    schema: PartSchema
    random: np.random.Generator


def _shuffled(case: PlantedCase) -> Candidate:
    """Another car's mask."""
    return case.real.changed(mask=case.other.mask)


def _mirrored(case: PlantedCase) -> Candidate:
    """The mirror image of the pair under the class that it had."""
    return _flipped(case.real, case.schema).changed(car_class=case.real.car_class)


def _other_view(case: PlantedCase) -> Candidate:
    """The class of another view."""
    others = [c for c in ALL_CLASSES if c.orientation != case.real.car_class.orientation]
    return case.real.changed(car_class=others[int(case.random.integers(len(others)))])


def _flipped_mask(case: PlantedCase) -> Candidate:
    """The mask's mirror image over the photo as it is, with the class that it shows."""
    return _flipped(case.real, case.schema).changed(photo=case.real.pair.photo)


def _copied(case: PlantedCase) -> Candidate:
    """A training pair as if it had been generated."""
    return replace(case.known, own="", exemplar=case.known.own)


def _copied_mirrored(case: PlantedCase) -> Candidate:
    """The mirror image of a training pair, with the class that it shows."""
    return _flipped(_copied(case), case.schema)


def _copied_photo(case: PlantedCase) -> Candidate:
    """A training photo under another car's mask of its class."""
    return _copied(case).changed(mask=case.other.mask, car_class=case.other.car_class)


def _blurred(case: PlantedCase) -> Candidate:
    return case.real.changed(photo=_blur(case.real.pair.photo, 2.5))


def _speckled_photo(case: PlantedCase) -> Candidate:
    """A tenth of the pixels in any colour."""
    photo = case.real.pair.photo.copy()
    where = case.random.random(photo.shape[:2]) < 0.1
    photo[where] = case.random.integers(0, 256, (int(where.sum()), 3))
    return case.real.changed(photo=photo)


def _speckled_mask(case: PlantedCase) -> Candidate:
    """A tenth of the pixels any part."""
    mask = case.real.mask.copy()
    where = case.random.random(mask.shape) < 0.1
    mask[where] = case.random.integers(0, case.schema.channels, int(where.sum()))
    return case.real.changed(mask=mask)


def _noise(case: PlantedCase) -> Candidate:
    """A grey photo of noise."""
    grey = case.random.normal(128, 40, case.real.mask.shape).clip(0, 255).astype(np.uint8)
    return case.real.changed(photo=np.repeat(grey[..., None], 3, axis=2))


def _flat(case: PlantedCase) -> Candidate:
    """A photo of one colour: the mean."""
    photo = np.empty_like(case.real.pair.photo)
    photo[:] = case.real.pair.photo.reshape(-1, 3).mean(0)
    return case.real.changed(photo=photo)


def _black(case: PlantedCase) -> Candidate:
    return case.real.changed(photo=np.zeros_like(case.real.pair.photo))


FAULTS: Mapping[str, Callable[[PlantedCase], Candidate]] = {
    "another car's mask": _shuffled,
    "mask mirrored, photo not": _flipped_mask,
    "mirrored, class kept": _mirrored,
    "class of another view": _other_view,
    "copied training pair": _copied,
    "copied pair, mirrored": _copied_mirrored,
    "copied photo, other mask": _copied_photo,
    "photo blurred": _blurred,
    "photo speckled": _speckled_photo,
    "mask speckled": _speckled_mask,
    "photo of noise": _noise,
    "photo of one colour": _flat,
    "photo all black": _black,
}


@dataclass(frozen=True)
class FaultResult:
    """A fault: pairs it was planted in, the share that was rejected, and the share that each check rejects."""

    name: str
    pairs: int
    caught: float
    checks: dict[str, float]

    @property
    def reasons(self) -> str:
        """The checks that reject more than a half per cent, the strictest first."""
        found = sorted((-share, check) for check, share in self.checks.items() if share > 0.005)
        return ", ".join(f"{check} {-share:.0%}" for share, check in found)


def measure(references: ReferenceSet, gate: Gate, limit: int, progress: Progress = silent) -> list[FaultResult]:
    """A line for training pairs as they are, then one a fault, planted in at most ``limit`` of all real pairs."""
    real, halves = real_scores(references), _halves(references)
    fits = [_fit(references, gate, real.among({id for id in real.ids if halves[id] != half})) for half in (0, 1)]
    gates = [Gate(references, gate.checks, bounds) for bounds in fits]
    places = _chosen(references, limit)
    lines = [_line(REAL, [_seen(gates[halves[id]], real, n) for n, id in enumerate(real.ids)], gate)]
    for number, (name, spoil) in enumerate(FAULTS.items(), 1):
        found = []
        for place in places:
            judged = gates[halves[references.rows[place].id]].judge(spoil(_case(references, place, name)))
            found.append({gate.check_of(reason) for reason in judged.reasons})
        lines.append(_line(name, found, gate))
        progress("faults planted", number, len(FAULTS))
    return lines


def _fit(references: ReferenceSet, gate: Gate, real: RealScores) -> ScoreBounds:
    rejected = np.array(real.rejected, np.bool_)
    return fit_bounds(real.scores, gate.sides, rejected, references.options.budget, real.floors)


def _seen(gate: Gate, real: RealScores, place: int) -> set[str]:
    """The checks that reject a real pair, from the scores that the fit noted."""
    found = {gate.check_of(reason) for reason in gate.bounds.reasons(real.scores[place])}
    return found | ({RULE} if real.rejected[place] else set())


def _line(name: str, found: Sequence[set[str]], gate: Gate) -> FaultResult:
    shares = {check: float(np.mean([check in one for one in found])) for check in (RULE, *gate.checks)}
    return FaultResult(name, len(found), float(np.mean([bool(one) for one in found])), shares)


def _halves(references: ReferenceSet) -> dict[str, int]:
    """0 or 1 by id; near duplicates are in one half."""
    groups = references.folds.groups
    return {row.id: derive(references.options.seed, "half", groups[row.id]) % 2 for row in references.rows}


def _chosen(references: ReferenceSet, limit: int) -> list[int]:
    order = sorted(range(len(references.rows)), key=lambda n: derive(0, "planted", references.rows[n].id))
    return order[:limit]


def _case(references: ReferenceSet, place: int, fault: str) -> PlantedCase:
    row, groups = references.rows[place], references.folds.groups
    random = np.random.default_rng(derive(0, fault, row.id))
    strangers = [n for n, other in enumerate(references.rows) if groups[other.id] != groups[row.id]]
    held = [n for n in strangers if references.rows[n].id not in references.folds.numbers]
    view = [n for n in held if references.rows[n].orientation == row.orientation]
    same = [n for n in view if references.rows[n].doors == row.doors]
    other = random.choice(same or view or held or strangers)
    training = [n for n in range(len(references.rows)) if references.rows[n].id in references.folds.numbers]
    known = place if place in training else random.choice(training)
    own, second, third = (real_pair(references, int(n)) for n in (place, other, known))
    stored = third.changed(photo=references.stored(third.pair.photo))
    return PlantedCase(own, second, stored, references.schema, random)


def _flipped(candidate: Candidate, schema: PartSchema) -> Candidate:
    return replace(candidate, shown=candidate.pair.flip(schema))


def _blur(photo: Photo, sigma: float) -> Photo:
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma), np.uint8)
