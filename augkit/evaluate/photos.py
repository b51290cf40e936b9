"""How good stage II is: photos of held-out masks and of made ones, against held-out photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from augkit.balance.plain_options import open_references
from augkit.core.classes import CarClass
from augkit.core.parts import Mask, without_ignore
from augkit.core.progress import Progress, renamed, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue, usable, validation_rows
from augkit.data.crop import Photo
from augkit.data.pair import Pair
from augkit.data.whole_car import without_body
from augkit.evaluate.comparison import Figure, compare_defined
from augkit.evaluate.discriminator import PatchAccuracy, told_apart
from augkit.evaluate.extract import extract_photos
from augkit.evaluate.features import PictureFeatures
from augkit.evaluate.real_pairs import held_out_rows, in_shares, real_pairs
from augkit.evaluate.trained_stages import TrainedStages
from augkit.gate.candidate import Candidate
from augkit.gate.checks.detail import LEAST, roughness
from augkit.gate.fit import is_ready, load_gate
from augkit.gate.judge import real_pair
from augkit.metrics.copies import Copies, judge_copies
from augkit.metrics.neighbours import nearest
from augkit.metrics.spread import spread
from augkit.models.extractors import EXTRACTORS
from augkit.settings import Settings
from augkit.stages.model_store import ModelStore

LOOKS = 4
"""Photos of one mask whose variety is measured."""

FIGURES = ("frechet", "kernel", "precision", "recall", "density", "coverage")


@dataclass(frozen=True)
class SegmenterAgreement:
    """Mean IoU of masks and what segmenters read that did not train on the exemplar: on made and on held-out pairs."""

    made: float
    real: float

    @property
    def share(self) -> float | None:
        """Of what the segmenters reach on real photos; None where they reach nothing there."""
        return self.made / self.real if self.real > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"made": self.made, "real": self.real, "share": self.share}


@dataclass(frozen=True)
class PhotoEvaluation:
    """``held_out``: figures of photos painted on held-out masks; ``made``: of those painted on stage I's masks, empty
    where it is not trained; ``warped``: of the exemplars that ``held_out`` were painted from, on the masks, without G;
    each against the held-out photos, with training photos as the floor.

    ``variety`` is the mean feature distance between photos of one mask, as a share of that between held-out photos of
    one class; None where no class has two different ones. ``copies`` are told by features; ``exemplars`` is how many
    training photos were exemplars. ``detail`` is the roughness of made cars over that of held-out ones (geometric
    means); ``told`` is how well the run's D tells the two, None where it is gone.
    """

    held_out: list[Figure]
    made: list[Figure]
    warped: list[Figure]
    variety: float | None
    copies: Copies
    agreement: SegmenterAgreement | None
    agreement_made: SegmenterAgreement | None
    exemplars: int
    detail: float
    told: PatchAccuracy | None

    @property
    def fall(self) -> float | None:
        """How many times further made masks' photos are from real ones than held-out masks' photos are; None without
        made masks, and where held-out masks' photos are the real ones."""
        near = self.held_out[0].value
        return self.made[0].value / near if self.made and near > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        agreement, of_made, copies = self.agreement, self.agreement_made, self.copies
        return {
            "held_out_masks": [figure.to_dict() for figure in self.held_out],
            "made_masks": [figure.to_dict() for figure in self.made],
            "warp_alone": [figure.to_dict() for figure in self.warped],
            "fall": self.fall,
            "variety": self.variety,
            "agreement": agreement and agreement.to_dict(),
            "agreement_made_masks": of_made and of_made.to_dict(),
            "copies": {"share": copies.share, "expected": copies.quantile, "bound": copies.bound},
            "exemplars": self.exemplars,
            "detail": self.detail,
            "discriminator": self.told and self.told.to_dict(),
        }


class _Generation:
    """What the trained stages of a workspace make for the comparison."""

    def __init__(self, store: ModelStore, progress: Progress) -> None:
        self.store, self.progress, self.seed = store, progress, store.settings.seed
        self.trained = TrainedStages(store)

    def paint(self, name: str, masks: Sequence[Mask], classes: Sequence[CarClass], looks: int = 1) -> list[Candidate]:
        """``looks`` photos of each mask, one after the other."""
        found = []
        for place, (mask, car_class) in enumerate(zip(masks, classes, strict=True)):
            for look in range(looks):
                painted = self.trained.photos(car_class).paint(mask[None], car_class, [self._seed(name, place, look)])
                found.append(Candidate(Pair(painted.photos[0], mask, car_class), painted.exemplars[0]))
            self.progress(f"photos of {name}", place + 1, len(masks))
        return found

    def warp(self, name: str, masks: Sequence[Mask], classes: Sequence[CarClass]) -> list[Photo]:
        """The exemplars of ``paint``, as they lie on the masks."""
        return [
            self.trained.photos(car_class).warp(mask, car_class, self._seed(name, place, 0))
            for place, (mask, car_class) in enumerate(zip(masks, classes, strict=True))
        ]

    def _seed(self, name: str, place: int, look: int) -> int:
        return derive(self.seed, "photo appraisal", name, place, look)

    def masks(self, classes: Sequence[CarClass], size: int) -> list[Mask]:
        """A mask of stage I for each of the classes; none where it is not trained."""
        models = {self.store.model("mask", c) for c in classes}
        if not all(self.store.is_trained("mask", model) for model in models):
            return []
        seeds = [derive(self.seed, "appraisal", place) for place in range(len(classes))]
        return [
            self.trained.masks(car_class).sample(car_class, [seed], size).masks[0]
            for car_class, seed in zip(classes, seeds, strict=True)
        ]


def evaluate_photos(
    workspace: Workspace, settings: Settings, extractor: str = "lite0", progress: Progress = silent,
    weights: Path | None = None,
) -> PhotoEvaluation:  # fmt: skip
    """Measures the stage-II models of a workspace; agreement is told where the gate is fitted. ``weights`` is the
    extractor's file, where it needs one.

    Raises DataError where no pair was held out, CheckpointError where a model is missing or was trained on other parts.
    """
    network = EXTRACTORS[extractor](weights=weights)  # before anything is painted: a wrong file is refused here
    store, size = ModelStore.open(workspace, settings), settings.image.size
    rows, generation = usable(read_catalogue(workspace.require_catalogue())), _Generation(store, progress)
    held = real_pairs(workspace, held_out_rows(rows), store.drawn.schema, size)
    known = real_pairs(workspace, TrainingRows.of(rows).rows, store.schema, size)
    masks, classes = [without_ignore(item.mask) for item in held], [item.car_class for item in held]
    ours = generation.paint("held-out masks", masks, classes)
    warped = generation.warp("held-out masks", masks, classes)
    drawn = generation.masks(classes, size)
    made = generation.paint("made masks", drawn, classes) if drawn else []
    step = max(1, len(masks) // 24)
    looks = generation.paint("one mask", masks[::step], classes[::step], LOOKS)

    def see(name: str, photos: Sequence[NDArray[np.uint8]]) -> PictureFeatures:
        return extract_photos(photos, network, progress=renamed(progress, name))

    real, reference = see("held-out photos", [i.photo for i in held]), see("training", [i.photo for i in known])
    alike = reference.pick(np.array(in_shares([item.car_class for item in known], Counter(classes))))
    seen = see("made photos", _photos(ours))
    return PhotoEvaluation(
        held_out=compare_defined(FIGURES, real, seen, alike),
        made=compare_defined(FIGURES, real, see("made masks", _photos(made)), alike) if made else [],
        warped=compare_defined(FIGURES, real, see("warp alone", warped), alike),
        variety=_variety(_features(see("one mask", _photos(looks))), _features(real), classes),
        copies=_copies(seen, real, reference),
        agreement=_agreement(workspace, settings, ours, progress),
        agreement_made=_agreement(workspace, settings, made, progress) if made else None,
        exemplars=len({candidate.exemplar for candidate in ours}),
        detail=_detail([candidate.pair for candidate in ours]) / _detail(held),
        told=told_apart(store, held, [candidate.pair for candidate in ours]),
    )


def _photos(painted: Sequence[Candidate]) -> list[NDArray[np.uint8]]:
    return [candidate.pair.photo for candidate in painted]


def _detail(pairs: Sequence[Pair]) -> float:
    """Geometric mean of the cars' roughness (see the gate's check)."""
    return float(np.exp(np.mean([np.log(roughness(pair.photo, pair.mask) + LEAST) for pair in pairs])))


def _features(seen: PictureFeatures) -> NDArray[np.float64]:
    return np.asarray(seen.tables["features"], np.float64)


def _variety(looks: NDArray[np.float64], real: NDArray[np.float64], classes: Sequence[CarClass]) -> float | None:
    """Rows of ``looks`` belong together by ``LOOKS``; real rows by class."""
    within = [spread(looks[begin : begin + LOOKS]) for begin in range(0, len(looks), LOOKS)]
    groups = [[n for n, own in enumerate(classes) if own == c] for c in sorted(set(classes))]
    between = [spread(real[group]) for group in groups if len(group) > 1]
    return float(np.mean(within) / np.mean(between)) if any(between) else None


def _copies(made: PictureFeatures, held: PictureFeatures, training: PictureFeatures) -> Copies:
    distances, places = nearest(_features(made), _features(training))
    return judge_copies(distances, places, nearest(_features(held), _features(training))[0])


def _agreement(
    workspace: Workspace, settings: Settings, painted: Sequence[Candidate], progress: Progress
) -> SegmenterAgreement | None:
    """None where the gate has no such check or is not fitted for these data and settings."""
    references = open_references(workspace, settings)
    if "agreement" not in settings.gate.checks or not is_ready(references):
        return None
    check, found = load_gate(references).checks["agreement"], []
    channels = references.schema.channels
    for place, candidate in enumerate(painted, 1):
        judged = candidate.changed(mask=without_body(candidate.mask, channels))
        found.append(check.score(judged)["agreement"])
        progress("agreement", place, len(painted))
    held = {row.id for row in validation_rows(references.rows)}
    places = [place for place, row in enumerate(references.rows) if row.id in held]
    real = [check.score(real_pair(references, place))["agreement"] for place in places]
    return SegmenterAgreement(float(np.mean(found)), float(np.mean(real)))
