"""How good stage II is: photos of held-out masks and of made ones, against held-out photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from augkit.balance.references import open_references
from augkit.core.classes import CarClass
from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema, without_ignore
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, TrainingRows, read_catalogue, usable, validation_rows
from augkit.data.dataset import PairDataset
from augkit.data.pair import Pair
from augkit.evaluate.comparison import Figure, enough, judge, size_of
from augkit.evaluate.extract import extract_photos
from augkit.evaluate.features import PictureFeatures
from augkit.gan.photo_sampler import PhotoSampler
from augkit.gan.samplers import MaskSampler
from augkit.gate.candidate import Candidate
from augkit.gate.fit import is_ready, load_gate, real_scores
from augkit.metrics.copies import Copies, judge_copies
from augkit.metrics.neighbours import nearest
from augkit.metrics.spread import spread
from augkit.models.extractors import EXTRACTORS
from augkit.settings import Settings
from augkit.stages.checkpoint_judge import with_mirrors
from augkit.stages.image import load_photo_sampler
from augkit.stages.mask import load_mask_sampler
from augkit.stages.model_store import ModelStore
from augkit.train.run import check_parts

LOOKS = 4
"""Photos of one mask whose variety is measured."""

FIGURES = ("frechet", "kernel", "precision", "recall", "density", "coverage")

Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SegmenterAgreement:
    """Mean IoU of masks and what segmenters read, that never saw the photo behind: on made and on held-out pairs."""

    made: float
    real: float

    @property
    def share(self) -> float | None:
        """Of what the segmenters reach on real photos; None where they reach nothing there."""
        return self.made / self.real if self.real > 0 else None


@dataclass(frozen=True)
class PhotoEvaluation:
    """``held_out``: figures of photos painted on held-out masks; ``made``: of those painted on stage I's masks, empty
    where it is not trained; each against the held-out photos, with training photos as the floor.

    ``variety`` is the mean feature distance between photos of one mask, as a share of that between held-out photos of
    one class; None where no class has two different ones. ``copies`` are told by features; ``exemplars`` is how many
    training photos were exemplars.
    """

    held_out: list[Figure]
    made: list[Figure]
    variety: float | None
    copies: Copies
    agreement: SegmenterAgreement | None
    agreement_made: SegmenterAgreement | None
    exemplars: int

    @property
    def fall(self) -> float | None:
        """How many times further made masks' photos are from real ones than held-out masks' photos are; None without
        made masks, and where held-out masks' photos are the real ones."""
        near = self.held_out[0].value
        return self.made[0].value / near if self.made and near > 0 else None


class _TrainedStages:
    """The trained stages of a workspace, loaded once."""

    def __init__(self, workspace: Workspace, settings: Settings, report: Report) -> None:
        self.store, self.report, self.seed = ModelStore.open(workspace, settings), report, settings.seed
        self._image, self._mask = cache(self._load_image), cache(self._load_mask)

    def _load_image(self, folder: Path) -> PhotoSampler:
        sampler, about = load_photo_sampler(folder)
        check_parts(folder, about, self.store.schema)
        return sampler

    def _load_mask(self, folder: Path) -> MaskSampler:
        sampler, about = load_mask_sampler(folder)
        check_parts(folder, about, self.store.schema)
        return sampler

    def painter(self, car_class: CarClass) -> PhotoSampler:
        return self._image(self.store.folder("image", self.store.model("image", car_class)))

    def paint(self, name: str, masks: Sequence[Mask], classes: Sequence[CarClass], looks: int = 1) -> list[Candidate]:
        """``looks`` photos of each mask, one after the other."""
        found = []
        for place, (mask, car_class) in enumerate(zip(masks, classes, strict=True)):
            for look in range(looks):
                seed = derive(self.seed, "photo appraisal", name, place, look)
                painted = self.painter(car_class).paint(mask[None], car_class, [seed])
                found.append(Candidate(Pair(painted.photos[0], mask, car_class), painted.exemplars[0]))
            self.report(f"photos of {name}", place + 1, len(masks))
        return found

    def masks(self, classes: Sequence[CarClass], size: int) -> list[Mask]:
        """A mask of stage I for each of the classes; none where it is not trained."""
        models = {self.store.model("mask", c) for c in classes}
        if not all(self.store.is_trained("mask", model) for model in models):
            return []
        made = []
        for place, car_class in enumerate(classes):
            sampler = self._mask(self.store.folder("mask", self.store.model("mask", car_class)))
            made.append(sampler.sample(car_class, [derive(self.seed, "appraisal", place)], size).masks[0])
        return made


def evaluate_photos(
    workspace: Workspace, settings: Settings, extractor: str = "lite0", report: Report = print,
    weights: Path | None = None,
) -> PhotoEvaluation:  # fmt: skip
    """Judges the stage-II models of a workspace; agreement is told where the gate is fitted. ``weights`` is the
    extractor's file, where it needs one.

    Raises DataError where no pair was held out, CheckpointError where a model is missing or was trained on other parts.
    """
    network = EXTRACTORS[extractor](weights=weights)  # before anything is painted: a wrong file is refused here
    trained, size = _TrainedStages(workspace, settings, report), settings.image.size
    rows, schema = usable(read_catalogue(workspace.require_catalogue())), trained.store.schema
    held = _pairs(workspace, validation_rows(rows), schema, size)
    known = _pairs(workspace, TrainingRows.of(rows).rows, schema, size)
    masks, classes = [without_ignore(item.mask) for item in held], [item.car_class for item in held]
    ours = trained.paint("held-out masks", masks, classes)
    drawn = trained.masks(classes, size)
    made = trained.paint("made masks", drawn, classes) if drawn else []
    step = max(1, len(masks) // 24)
    looks = trained.paint("one mask", masks[::step], classes[::step], LOOKS)

    def see(name: str, photos: Sequence[NDArray[np.uint8]]) -> PictureFeatures:
        return extract_photos(photos, network, progress=partial(report, name))

    real, reference = see("held-out photos", [i.photo for i in held]), see("training", [i.photo for i in known])
    seen = see("made photos", _photos(ours))
    return PhotoEvaluation(
        held_out=_figures(real, seen, _alike(reference, known, Counter(classes))),
        made=_figures(real, see("made masks", _photos(made)), _alike(reference, known, Counter(classes)))
        if made
        else [],
        variety=_variety(_features(see("one mask", _photos(looks))), _features(real), classes),
        copies=_copies(seen, real, reference),
        agreement=_agreement(workspace, settings, ours, report),
        agreement_made=_agreement(workspace, settings, made, report) if made else None,
        exemplars=len({candidate.exemplar for candidate in ours}),
    )


def _pairs(workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, size: int) -> list[Pair]:
    if not rows:
        raise DataError("no held-out pairs to judge by", "rows of the split val", "import with data.val_share")
    return with_mirrors(PairDataset(workspace, rows, schema, size))


def _figures(real: PictureFeatures, made: PictureFeatures, reference: PictureFeatures) -> list[Figure]:
    size = size_of(len(real), len(made), len(reference))
    return judge(real, made, enough(FIGURES, size), reference=reference)


def _photos(painted: Sequence[Candidate]) -> list[NDArray[np.uint8]]:
    return [candidate.pair.photo for candidate in painted]


def _features(traits: PictureFeatures) -> NDArray[np.float64]:
    return np.asarray(traits.tables["features"], np.float64)


def _alike(reference: PictureFeatures, known: Sequence[Pair], wanted: Counter[CarClass]) -> PictureFeatures:
    """Training photos in the held-out ones' shares of the classes, as many as there are."""
    places = {c: [n for n, item in enumerate(known) if item.car_class == c] for c in wanted}
    times = max(1, min((len(places[c]) // count for c, count in wanted.items() if places[c]), default=1))
    return reference.pick(np.array([n for c, count in wanted.items() for n in places[c][: times * count]]))


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
    workspace: Workspace, settings: Settings, painted: Sequence[Candidate], report: Report
) -> SegmenterAgreement | None:
    """None where the gate has no such check or is not fitted for these data and settings."""
    references = open_references(workspace, settings)
    if "agreement" not in settings.gate.checks or not is_ready(references):
        return None
    judge, found = load_gate(references).checks["agreement"], []
    for place, candidate in enumerate(painted, 1):
        found.append(judge.score(candidate)["agreement"])
        report("agreement", place, len(painted))
    held = {row.id for row in validation_rows(references.rows)}
    known = real_scores(references)
    real = [scores["agreement"] for id, scores in zip(known.ids, known.scores, strict=True) if id in held]
    return SegmenterAgreement(float(np.mean(found)), float(np.mean(real)))
