"""The result of a workspace as one HTML file: what was asked, what came out, and whether it helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from augkit import __version__
from augkit.core.lock import held
from augkit.core.parts import Colour
from augkit.core.progress import Progress, silent
from augkit.core.workspace import Workspace
from augkit.report.curves import HEIGHT, WIDTH, Chart, Training, draw, read_trainings
from augkit.report.embedding_map import HEIGHT as MAP_HEIGHT
from augkit.report.embedding_map import WIDTH as MAP_WIDTH
from augkit.report.image_cache import ImageCache, Redraw, never
from augkit.report.index_overview import IndexOverview, PartSums
from augkit.report.markup import write_page
from augkit.report.measures import Measures, read_measures
from augkit.report.pair_selection import PER_CLASS, PairSelection, select_pairs
from augkit.report.rejections import Rejections
from augkit.report.report_data import Gap, ReadSettings, ReportData, read_report_data
from augkit.report.training_notes import notes_on
from augkit.shards.card import CARD_COLUMNS, CardCounts, write_card
from augkit.train.checkpoint import digest
from augkit.train.model_folder import MODEL

_PATIENCE = 60.0

REMEDIES = {
    "utility": "augkit evaluate utility", "gate": "augkit gate",
    "planted": "augkit evaluate gate", "masks": "augkit evaluate masks", "photos": "augkit evaluate photos",
    "compare": "augkit compare",
}  # fmt: skip
"""What writes a document of ``reports/`` again."""


@dataclass(frozen=True)
class ClassCount:
    """Pairs of a class: real ones for training and held out, and accepted ones: generated, and read by a teacher."""

    name: str
    training: int
    held_out: int
    generated: int
    pseudo: int = 0

    @property
    def after(self) -> int:
        """Pairs to train with."""
        return self.training + self.pseudo + self.generated


@dataclass(frozen=True)
class PartCount:
    """A part's share of the cars' pixels in the pairs to train with, and how many show it, before and after."""

    name: str
    colour: Colour
    share_before: float
    share_after: float
    pairs_before: int
    pairs_after: int


@dataclass(frozen=True)
class Model:
    """A model by the hash that the index names, its folder (empty where no model here has it) and its pairs."""

    stage: str
    digest: str
    folder: str
    pairs: int


@dataclass(frozen=True)
class Summary:
    """What the command says about the page that it wrote."""

    path: Path
    classes: Sequence[ClassCount]
    funnel: Rejections
    shown: int
    gaps: Sequence[Gap]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "page": str(self.path), "bytes": self.path.stat().st_size, "pairs_shown": self.shown,
            "classes": {
                c.name: {"training": c.training, "generated": c.generated, "pseudo": c.pseudo} for c in self.classes
            },
            "tried": self.funnel.tried, "accepted": self.funnel.accepted,
            "reasons": {reason.name: reason.count for reason in self.funnel.reasons},
            "missing": [{"what": gap.what, "run": gap.remedy} for gap in self.gaps],
        }  # fmt: skip


def write_report(
    workspace: Workspace, path: Path, read_settings: ReadSettings, *, per_class: int = PER_CLASS,
    license: str | None = None, redraw: Redraw = never, progress: Progress = silent,
) -> Summary:  # fmt: skip
    """Writes the page, and the card of a finished data set (``license``: see ``augkit.shards.card``).

    Raises DataError where the workspace has no catalogue: then there is nothing to report. Where another command writes
    the page, this waits for it, and raises BusyError after a minute.
    """
    with held(path, patience=_PATIENCE, around=(path.parent,)):
        return _written(workspace, path, read_settings, per_class, license, redraw=redraw, progress=progress)


def _written(
    workspace: Workspace, path: Path, read_settings: ReadSettings, per_class: int, license: str | None, *,
    redraw: Redraw, progress: Progress,
) -> Summary:  # fmt: skip
    data = read_report_data(workspace, read_settings)
    if data.manifest and data.index.rows:
        rows = data.index_rows
        write_card(data.storage, data.manifest, CardCounts.of(rows.tables(CARD_COLUMNS), rows.columns), license)
    images = ImageCache(data.storage, data.schema, redraw)
    funnel = data.index.rejections.result()
    gallery = select_pairs(data, funnel, images, progress, per_class)
    trainings, measures = read_trainings(workspace.models), read_measures(data.documents)
    classes = count_classes(data)
    gaps = [*data.gaps, *_unreadable(images), *_gaps(data, trainings, measures)]
    write_page(
        "report.html", path, name=workspace.name, version=__version__, data=data,
        classes=classes, parts=count_parts(data), funnel=funnel, gallery=gallery, gaps=gaps, measures=measures,
        headline=headline(data, classes), trainings=[(t, notes_on(t), _charts(t)) for t in trainings],
        models=_models(data), scores=_scores(gallery), size=(WIDTH, HEIGHT), map_size=(MAP_WIDTH, MAP_HEIGHT),
        settings=data.settings.text if data.settings else "", seeds=_seeds(data),
    )  # fmt: skip
    shown = sum(len(sheet.cards) for sheet in gallery.sheets)
    return Summary(path, classes, funnel, shown, gaps)


def count_classes(data: ReportData) -> list[ClassCount]:
    """Classes that real pairs show, by name."""
    training = Counter(row.car_class.name for row in data.rows if row.split == "train")
    held = Counter(row.car_class.name for row in data.rows if row.split != "train")
    generated, pseudo = (_by_class(data.index, source) for source in ("generated", "pseudo"))
    names = sorted({*training, *held, *generated, *pseudo})
    return [ClassCount(name, training[name], held[name], generated[name], pseudo[name]) for name in names]


def _by_class(index: IndexOverview, source: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for (own, class_name, _), count in index.accepted.items():
        counts[class_name] += count if own == source else 0
    return +counts


def count_parts(data: ReportData) -> list[PartCount]:
    """Parts by id. Before: the real training pairs; after: the pseudo and the generated ones as well."""
    found, channels = data.index.parts, data.schema.channels
    before = after = found.get(("real", "train")) or PartSums.of(
        np.array([row.histogram for row in data.rows if row.split == "train"], np.int64).reshape(-1, channels)
    )
    for (source, _), sums in found.items():
        after = after + sums if source in ("pseudo", "generated") else after
    shares = [sums.pixels[1:] / max(1, sums.pixels[1:].sum()) for sums in (before, after)]
    shown = [sums.pairs[1:] for sums in (before, after)]
    return [
        PartCount(part.name, part.colour, float(shares[0][n]), float(shares[1][n]), int(shown[0][n]), int(shown[1][n]))
        for n, part in enumerate(data.schema.parts)
    ]


def headline(data: ReportData, classes: Sequence[ClassCount]) -> str:
    """What came out, in a sentence."""
    made, target = sum(c.generated for c in classes), data.target
    if not data.index.rows:
        return f"{sum(c.training for c in classes)} real pairs to train with, and nothing generated yet."
    full = sum(c.after >= target for c in classes)
    helped = sum(c.generated > 0 for c in classes)
    reached = f"{full} of {len(classes)} classes have the {target} pairs that were asked for" if target else ""
    parts = [f"{made:,} generated {'pair' if made == 1 else 'pairs'} in {helped} classes", reached]
    return "; ".join(part for part in parts if part) + "."


def _unreadable(images: ImageCache) -> list[Gap]:
    count = len(images.unreadable)
    return [Gap(f"{count} of the pairs to show have no readable bytes.", "augkit verify")] if count else []


def _gaps(data: ReportData, trainings: Sequence[Training], measures: Measures) -> list[Gap]:
    found = []
    if data.index.rows and not len(data.index.made):
        found.append(Gap("The shards hold no generated pair.", "augkit balance --target-per-class N"))
    if len(data.index.made) and not any(key[0] == "real" and key[2] != "train" for key in data.index.accepted):
        what = "No real pair is held out, so nothing says how near is too near."
        found.append(Gap(what, "augkit import ... --set data.val_share=0.2"))
    open_runs = [f"{t.stage} {t.model}" for t in trainings if not t.finished]
    if open_runs:
        found.append(Gap(f"Not finished: the training of {', '.join(open_runs)}.", "augkit train STAGE --resume"))
    if not trainings:
        found.append(Gap("No model was trained here.", "augkit train mask, augkit train image, or augkit balance"))
    for name in measures.strange:
        found.append(Gap(f"reports/{name}.json is of another form than this version writes.", REMEDIES[name]))
    if not measures.utility and "utility" not in measures.strange:
        found.append(Gap("Nobody has measured what the pairs do for a segmenter.", "augkit evaluate utility"))
    return found


def _charts(training: Training) -> list[Chart]:
    return [draw(curve) for curve in training.curves]


def _models(data: ReportData) -> list[Model]:
    files = {digest(path): path.parent for path in data.workspace.models.glob(f"*/*/{MODEL}")}
    found = []
    for stage, used in data.index.models.items():
        for name, pairs in sorted(used.items()):
            folder = files.get(name)
            place = "" if folder is None else folder.relative_to(data.workspace.root).as_posix()
            found.append(Model(stage, name, place, pairs))
    return found


def _seeds(data: ReportData) -> Mapping[str, int]:
    seed = {} if data.settings is None else {"of the settings": data.settings.seed}
    return seed | {"different ones of generated pairs": data.index.seeds}


def _scores(gallery: PairSelection) -> dict[str, tuple[float, float]]:
    """Range of each score over the generated pairs that the page shows."""
    values: dict[str, list[float]] = {}
    for sheet in gallery.sheets:
        for card in sheet.cards if sheet.source == "generated" else ():
            for name, value in card.scores.items():
                values.setdefault(name, []).append(value)
    return {name: (min(found), max(found)) for name, found in sorted(values.items())}
