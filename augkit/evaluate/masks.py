"""How good stage I is: its masks against held-out real ones, what the gate says of them, whether they are copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from augkit.balance.references import rule_options
from augkit.core.classes import CarClass
from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema, without_ignore
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, TrainingRows, read_catalogue, usable, validation_rows
from augkit.data.dataset import PairDataset
from augkit.evaluate.comparison import Figure, enough, judge, size_of
from augkit.evaluate.extract import extract_masks
from augkit.evaluate.features import PictureFeatures
from augkit.gan.samplers import MaskSampler
from augkit.gate.mask_rule import MaskRule
from augkit.metrics.copies import Copies, find_copies
from augkit.models.extractors import EXTRACTORS
from augkit.settings import Settings
from augkit.stages.checkpoint_judge import with_mirrors
from augkit.stages.mask import load_mask_sampler
from augkit.stages.model_store import ModelStore
from augkit.train.run import check_parts

TIMES = 4
"""Made masks for each held-out one."""

FEWEST = 8
"""Held-out masks (mirror images count) below which a class is not judged by itself."""

FIGURES = ("frechet", "precision", "recall", "density", "coverage", "part-shares", "part-adjacency", "part-components")


@dataclass(frozen=True)
class ClassFigures:
    """What there is to say of one class, or of all: figures, and the share of made and of held-out masks that pass the
    gate's rule. ``photos`` are the class's training pairs, ``size`` the masks a side in the figures."""

    name: str
    photos: int
    size: int
    figures: list[Figure]
    passing: float
    passing_real: float


@dataclass(frozen=True)
class MaskEvaluation:
    """``whole`` over all classes in the held-out masks' shares, ``classes`` one by one; ``copies`` over all."""

    whole: ClassFigures
    classes: list[ClassFigures]
    copies: Copies


@dataclass(frozen=True)
class _Masks:
    """(H, W) masks with their classes."""

    masks: list[Mask]
    classes: list[CarClass]

    def places(self, car_class: CarClass) -> list[int]:
        return [place for place, own in enumerate(self.classes) if own == car_class]


def evaluate_masks(
    workspace: Workspace, settings: Settings, extractor: str = "lite0", report: Callable[[str, int, int], None] = print,
    weights: Path | None = None,
) -> MaskEvaluation:  # fmt: skip
    """Judges the stage-I models of a workspace. Masks are cleaned as generation cleans them. ``weights`` is the
    extractor's file, where it needs one.

    Raises DataError where no pair was held out, CheckpointError where a model is missing or was trained on other parts.
    """
    network = EXTRACTORS[extractor](weights=weights)  # before anything is drawn: a wrong file is refused here
    store = ModelStore.open(workspace, settings)
    rows = usable(read_catalogue(workspace.require_catalogue()))
    size, schema = settings.mask.size, store.schema
    held = _real(workspace, validation_rows(rows), schema, size)
    known = _real(workspace, TrainingRows.of(rows).rows, schema, size)
    gate = MaskRule(TrainingRows.of(rows).rows, schema, rule_options(settings.gate))
    made = _made(store, Counter(held.classes), gate, size, report)
    passed = [
        np.array([not gate.judge(m, c).reasons for m, c in zip(s.masks, s.classes, strict=True)]) for s in (made, held)
    ]
    traits = [
        extract_masks(s.masks, schema, network, progress=partial(report, name))
        for name, s in (("held-out masks", held), ("made masks", made), ("training masks", known))
    ]

    def part(name: str, places: Sequence[list[int]], photos: int) -> ClassFigures:
        real, ours, reference = (t.pick(np.array(p)) for t, p in zip(traits, places, strict=True))
        figures = _figures(real, ours, reference)
        shares = [float(passed[0][places[1]].mean()), float(passed[1][places[0]].mean())]
        return ClassFigures(name, photos, figures[0].size, figures, *shares)

    sets = (held, made, known)
    whole = part("all", [_all(held), _all(made), _alike(known, Counter(held.classes))], len(TrainingRows.of(rows)))
    counts = Counter(row.car_class for row in TrainingRows.of(rows).rows)
    classes = [
        part(c.name, [s.places(c) for s in sets], counts[c])
        for c in sorted(set(held.classes))
        if min(len(held.places(c)), len(known.places(c))) >= FEWEST
    ]
    return MaskEvaluation(whole, classes, find_copies(made.masks, held.masks, known.masks, schema))


def _figures(real: PictureFeatures, made: PictureFeatures, reference: PictureFeatures) -> list[Figure]:
    size = size_of(len(real), len(made), len(reference))
    return judge(real, made, enough(FIGURES, size), reference=reference)


def _real(workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, size: int) -> _Masks:
    """Real masks and their mirror images; what is ignored counts as background, as generated masks have none."""
    if not rows:
        raise DataError("no held-out pairs to judge by", "rows of the split val", "import with data.val_share")
    items = with_mirrors(PairDataset(workspace, rows, schema, size))
    return _Masks([without_ignore(item.mask) for item in items], [item.car_class for item in items])


def _made(
    store: ModelStore, wanted: Counter[CarClass], gate: MaskRule, size: int, report: Callable[[str, int, int], None]
) -> _Masks:
    masks: list[Mask] = []
    classes: list[CarClass] = []
    load = cache(partial(_load, store.schema))
    for place, (car_class, count) in enumerate(sorted(wanted.items()), 1):
        sampler = load(store.folder("mask", store.model("mask", car_class)))
        seeds = [derive(store.settings.seed, "appraisal", car_class.name, n) for n in range(TIMES * count)]
        masks += [gate.clean(mask)[0] for mask in sampler.sample(car_class, seeds, size).masks]
        classes += [car_class] * len(seeds)
        report("classes drawn", place, len(wanted))
    return _Masks(masks, classes)


def _load(schema: PartSchema, folder: Path) -> MaskSampler:
    sampler, about = load_mask_sampler(folder)
    check_parts(folder, about, schema)
    return sampler


def _all(masks: _Masks) -> list[int]:
    return list(range(len(masks.masks)))


def _alike(known: _Masks, wanted: Counter[CarClass]) -> list[int]:
    """Training masks in the held-out masks' shares of the classes, as many as there are."""
    own = {car_class: known.places(car_class) for car_class in wanted}
    times = max(1, min((len(own[c]) // count for c, count in wanted.items() if own[c]), default=1))
    return [place for c, count in wanted.items() for place in own[c][: times * count]]
