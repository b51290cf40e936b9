"""How good stage I is: its masks against held-out real ones, what the gate says of them, whether they are copies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from augkit.balance.plain_options import rule_options
from augkit.balance.rendered_masks import DrawnMaskSource, rendered_masks
from augkit.core.classes import CarClass
from augkit.core.errors import ConfigError
from augkit.core.nearest import one_of
from augkit.core.parts import Mask, without_ignore
from augkit.core.progress import Progress, renamed, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import TrainingRows, read_catalogue, usable
from augkit.data.pair import Pair
from augkit.data.whole_car import without_body
from augkit.evaluate.comparison import Figure, compare_defined
from augkit.evaluate.extract import extract_masks
from augkit.evaluate.real_pairs import held_out_rows, in_shares, real_pairs
from augkit.evaluate.trained_stages import TrainedStages
from augkit.gan.generated import MaskSource
from augkit.gate.mask_rule import MaskRule
from augkit.metrics.copies import Copies, find_copies
from augkit.models.extractors import EXTRACTORS
from augkit.settings import Settings
from augkit.stages.model_store import ModelStore

MADE_BY = ("stage-I", "rendered", "rendered-at-random")
"""What draws the masks that are compared."""

TIMES = 4
"""Made masks for each held-out one."""

FEWEST = 8
"""Held-out masks (mirror images count) below which a class has no figures of its own."""

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

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return vars(self) | {"figures": [figure.to_dict() for figure in self.figures]}


@dataclass(frozen=True)
class Exclusive:
    """Which ``parts`` exclude each other (see ``exclusive_parts``), and the share of the made and of the held-out masks
    that show two such."""

    parts: list[tuple[str, str]]
    made: float
    held_out: float


@dataclass(frozen=True)
class MaskEvaluation:
    """``whole`` over all classes in the held-out masks' shares, ``classes`` one by one; ``exclusive`` parts and
    ``copies`` over all."""

    whole: ClassFigures
    classes: list[ClassFigures]
    exclusive: Exclusive
    copies: Copies

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        copies = self.copies
        return {
            "all": self.whole.to_dict(), "classes": [own.to_dict() for own in self.classes],
            "exclusive": vars(self.exclusive),
            "copies": {
                "share": copies.share, "expected": copies.quantile, "bound": copies.bound,
                "median_made": float(np.median(copies.made)), "median_held_out": float(np.median(copies.held_out)),
            },
        }  # fmt: skip


@dataclass(frozen=True)
class _Masks:
    """(H, W) masks with their classes."""

    masks: list[Mask]
    classes: list[CarClass]

    @classmethod
    def of(cls, items: Sequence[Pair]) -> _Masks:
        """Real ones; what is ignored counts as background, as generated masks have none."""
        return cls([without_ignore(item.mask) for item in items], [item.car_class for item in items])

    def places(self, car_class: CarClass) -> list[int]:
        return [place for place, own in enumerate(self.classes) if own == car_class]


def evaluate_masks(
    workspace: Workspace, settings: Settings, extractor: str = "lite0", progress: Progress = silent,
    weights: Path | None = None, *, made_by: str = "stage-I",
) -> MaskEvaluation:  # fmt: skip
    """Measures the stage-I models of a workspace, or what else masks are ``made_by``: rendered cars, fitted to the
    training masks or at random. Masks are cleaned as generation cleans them. ``weights`` is the extractor's file, where
    it needs one.

    Raises DataError where no pair was held out, CheckpointError where a model is missing or was trained on other parts,
    ConfigError for another name of what masks are made by.
    """
    if made_by not in MADE_BY:
        raise ConfigError(f"masks made by {made_by}", one_of(made_by, MADE_BY), "choose a listed name")
    network = EXTRACTORS[extractor](weights=weights)  # before anything is drawn: a wrong file is refused here
    store = ModelStore.open(workspace, settings)
    rows = usable(read_catalogue(workspace.require_catalogue()))
    size, schema = settings.mask.size, store.schema
    training = TrainingRows.of(rows).rows
    held, known = (_Masks.of(real_pairs(workspace, own, schema, size)) for own in (held_out_rows(rows), training))
    rule = MaskRule(training, schema, rule_options(settings.gate))
    made = _made(_source_of(store, made_by), store, Counter(held.classes), rule, size=size, progress=progress)
    verdicts = [[rule.judge(m, c) for m, c in zip(s.masks, s.classes, strict=True)] for s in (made, held)]
    passed = [np.array([not verdict.reasons for verdict in own]) for own in verdicts]
    seen = [
        extract_masks(s.masks, schema, network, progress=renamed(progress, name))
        for name, s in (("held-out masks", held), ("made masks", made), ("training masks", known))
    ]

    def part(name: str, places: Sequence[list[int]], photos: int) -> ClassFigures:
        real, ours, reference = (s.pick(np.array(p)) for s, p in zip(seen, places, strict=True))
        figures = compare_defined(FIGURES, real, ours, reference)
        shares = [float(passed[0][places[1]].mean()), float(passed[1][places[0]].mean())]
        return ClassFigures(name, photos, figures[0].size, figures, *shares)

    sets = (held, made, known)
    alike = in_shares(known.classes, Counter(held.classes))
    whole = part("all", [list(range(len(held.masks))), list(range(len(made.masks))), alike], len(training))
    counts = Counter(row.car_class for row in training)
    classes = [
        part(c.name, [s.places(c) for s in sets], counts[c])
        for c in sorted(set(held.classes))
        if min(len(held.places(c)), len(known.places(c))) >= FEWEST
    ]
    shares = [float(np.mean([verdict.scores["parts_exclusive"] > 0 for verdict in own])) for own in verdicts]
    exclusive = Exclusive(rule.exclusive_names(), *shares)
    return MaskEvaluation(whole, classes, exclusive, find_copies(made.masks, held.masks, known.masks, schema))


def _source_of(store: ModelStore, made_by: str) -> Callable[[CarClass], MaskSource]:
    """What draws the masks of a class."""
    if made_by == "stage-I":
        return TrainedStages(store).masks
    origin, schema, cars = rendered_masks(), store.schema, None
    if made_by == "rendered":
        cars = origin.fit(store.workspace, store.rows.rows, schema, store.settings.seed)
    source = DrawnMaskSource(origin.drawing(cars, schema, body=None))
    return lambda _: source


def _made(
    source: Callable[[CarClass], MaskSource], store: ModelStore, wanted: Counter[CarClass], rule: MaskRule, *,
    size: int, progress: Progress,
) -> _Masks:  # fmt: skip
    """``TIMES`` as many masks of each class as are wanted of it."""
    masks: list[Mask] = []
    classes: list[CarClass] = []
    for place, (car_class, count) in enumerate(sorted(wanted.items()), 1):
        seeds = [derive(store.settings.seed, "appraisal", car_class.name, n) for n in range(TIMES * count)]
        drawn = source(car_class).sample(car_class, seeds, size).masks
        masks += [rule.clean(without_body(mask, store.schema.channels))[0] for mask in drawn]
        classes += [car_class] * len(seeds)
        progress("classes drawn", place, len(wanted))
    return _Masks(masks, classes)
