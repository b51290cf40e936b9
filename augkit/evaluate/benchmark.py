"""Generators trained under one budget and measured alike: the tables of the reports.

Masks and photos without masks are drawn in the held-out pictures' classes; stage II paints the held-out masks, with
training photos as exemplars.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from augkit.core.atomic_file import write_json
from augkit.core.classes import CarClass
from augkit.core.inside import inside
from augkit.core.parts import PartSchema, without_ignore
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.catalogue import CatalogueRow, read_catalogue, usable
from augkit.data.pair import Pair
from augkit.evaluate.comparison import compare, label
from augkit.evaluate.extract import extract_photos
from augkit.evaluate.features import PictureFeatures
from augkit.evaluate.real_pairs import held_out_rows, in_shares, real_pairs
from augkit.gan.photo_sampler import PhotoSampler
from augkit.metrics.inception import inception_score
from augkit.metrics.metric import METRICS
from augkit.models.extractors import EXTRACTORS, Extractor
from augkit.settings import ImageSettings, MaskSettings, Settings, UnconditionalSettings
from augkit.stages.assignment import ALL
from augkit.stages.backgrounds import screen_of
from augkit.stages.image import build_networks, load_photo_sampler
from augkit.stages.mask import check_mask, load_mask_sampler
from augkit.stages.model_store import ModelStore
from augkit.stages.unconditional import check_unconditional, load_picture_sampler
from augkit.train.checkpoint import load_state
from augkit.train.model_folder import CHECKPOINT, load_description
from augkit.train.step_lines import last_pace

BenchmarkStage = Literal["mask", "image", "image-unconditional"]
SECTIONS: dict[str, BenchmarkStage] = {"mask": "mask", "image": "image", "unconditional": "image-unconditional"}
"""The stage that a section of the settings describes."""
FOLDER, EARLIER_FOLDER = "benchmark", "contest"
"""Where the runs of a workspace are; what the previous version called it is read where it is."""
Pictures = NDArray[np.uint8]

BATCH = 8
"""Photos that stage II paints at a time."""
SPLITS = 5
"""Of the inception score: with a few hundred held-out pictures, ten would leave too few in each."""


@dataclass(frozen=True)
class BenchmarkEntry:
    """One generator of a benchmark: a name, the stage it belongs to, its settings."""

    name: str
    stage: BenchmarkStage
    settings: Settings

    @property
    def section(self) -> str:
        """The name of its settings."""
        return next(section for section, stage in SECTIONS.items() if stage == self.stage)

    @property
    def chosen(self) -> MaskSettings | ImageSettings | UnconditionalSettings:
        """The settings of its stage."""
        section: MaskSettings | ImageSettings | UnconditionalSettings = getattr(self.settings, self.section)
        return section


@dataclass(frozen=True)
class BenchmarkResult:
    """A row of the table. ``distance`` (with its 95 % interval) and ``kernel`` (with its standard error) compare made
    with held-out pictures, their floors compare as many training pictures with the same ones; ``stopped`` says why a
    run ended before its budget."""

    name: str
    stage: str
    model: str
    parameters_g: int
    parameters_d: int
    steps: int
    seconds_per_step: float
    extractor: str
    distance_name: str
    distance: float
    distance_floor: float
    ratio: float | None
    distance_interval: tuple[float, float] | None
    kernel: float
    kernel_floor: float
    kernel_error: float | None
    inception_score: float
    inception_score_real: float
    pictures: int
    warnings: tuple[str, ...]
    stopped: str


def run_benchmark(
    workspace: Workspace, entries: Sequence[BenchmarkEntry], seconds: float, *, extractor: str = "lite0",
    weights: Path | None = None, fresh: bool = False, progress: Progress = silent,
    done: Callable[[BenchmarkResult], None] = silent,
) -> list[BenchmarkResult]:  # fmt: skip
    """Trains every entry for ``seconds`` and measures it on the pictures that no training saw.

    Runs are kept in ``WORKSPACE/benchmark/NAME``: a finished one is not trained again, an interrupted one goes on.
    Raises ConfigError for settings that no network takes and DataError where there are no held-out pictures, before
    anything is trained. ``weights`` is the extractor's file, where it needs one.
    """
    network = EXTRACTORS[extractor](weights=weights)
    _check(workspace, entries)
    results = []
    for entry in entries:
        folder = _train(workspace, entry, seconds, fresh, progress)
        results.append(_measure(workspace, entry, folder, network))
        done(results[-1])
    return results


def save_results(results: Sequence[BenchmarkResult], path: Path) -> None:
    """The table as JSON."""
    write_json(path, [asdict(result) for result in results])


def _check(workspace: Workspace, entries: Sequence[BenchmarkEntry]) -> None:
    """Raises what would else be raised after hours of training: settings that cannot be, nothing to compare with."""
    rows = usable(read_catalogue(workspace.require_catalogue()))
    held_out_rows(rows, SPLITS)
    for entry in entries:
        asked, schema = entry.chosen, ModelStore.open(workspace, entry.settings).drawn.schema
        if isinstance(asked, ImageSettings):
            build_networks(asked.rooted(workspace.root), schema)
        elif isinstance(asked, MaskSettings):
            check_mask(asked, schema)
        else:
            check_unconditional(asked)


def runs_of(workspace: Workspace, entry: BenchmarkEntry) -> Path:
    """Where the models of an entry are, or will be."""
    folder, earlier = (
        workspace.bring(inside(workspace.root, f"{name}/{entry.name}")) for name in (FOLDER, EARLIER_FOLDER)
    )
    return earlier if earlier.is_dir() and not folder.is_dir() else folder


def _train(workspace: Workspace, entry: BenchmarkEntry, seconds: float, fresh: bool, progress: Progress) -> Path:
    opened, again = ModelStore.open(workspace, entry.settings), "augkit compare ... --fresh"
    store = replace(opened, models=runs_of(workspace, entry), again=again)
    folder = store.folder(entry.stage, ALL)
    began, spent = time.monotonic(), 0.0 if fresh else _spent(folder)

    def told(*_: object) -> None:
        progress(entry.name, min(int(spent + time.monotonic() - began), int(seconds)), int(seconds))

    if fresh or not store.is_trained(entry.stage, ALL) or (spent < 0.98 * seconds and not _collapsed(folder)):
        store.train(entry.stage, ALL, not fresh, told, fresh, seconds=max(0.0, seconds - spent))
    return folder


def _spent(folder: Path) -> float:
    """Seconds that the run in the folder has trained, up to the state that it would go on from."""
    if not (folder / CHECKPOINT).is_file():
        return 0.0
    step = int(load_state(folder / CHECKPOINT)[0]["step"])
    return step * last_pace(folder, step)[1]


def _collapsed(folder: Path) -> bool:
    """Whether the run ended for another reason than its budget."""
    reason = load_description(folder).get("stopped", "")
    return bool(reason) and "budget" not in reason


def _measure(workspace: Workspace, entry: BenchmarkEntry, folder: Path, extractor: Extractor) -> BenchmarkResult:
    schema = ModelStore.open(workspace, entry.settings).drawn.schema
    rows = usable(read_catalogue(workspace.require_catalogue()))
    training = [row for row in rows if row.split == "train"]
    held, known = (_real(workspace, own, schema, entry) for own in (held_out_rows(rows, SPLITS), training))
    wanted = dict(sorted(Counter(item.car_class for item in held).items()))
    alike = [known[place] for place in in_shares([item.car_class for item in known], wanted)]
    made = _made(entry, folder, held)
    real, reference, ours = (
        extract_photos(pictures, extractor)
        for pictures in (*([_shown(item, schema, entry) for item in items] for items in (held, alike)), made)
    )
    distance, kernel = compare(real, ours, ("frechet", "kernel"), reference=reference)
    about = load_description(folder)
    return BenchmarkResult(
        name=entry.name,
        stage=entry.stage,
        model=entry.chosen.model,
        parameters_g=about["parameters"]["G"],
        parameters_d=about["parameters"].get("D", 0),
        steps=about["steps"],
        seconds_per_step=_seconds_per_step(folder),
        extractor=extractor.name,
        distance_name=label(METRICS["frechet"], extractor.name),
        distance=distance.value,
        distance_floor=distance.floor.mean,
        ratio=distance.ratio,
        distance_interval=distance.interval,
        kernel=kernel.value,
        kernel_floor=kernel.floor.mean,
        kernel_error=kernel.error,
        inception_score=_inception(ours, extractor),
        inception_score_real=_inception(real, extractor),
        pictures=len(made),
        warnings=distance.warnings,
        stopped=about.get("stopped", ""),
    )


def _real(workspace: Workspace, rows: Sequence[CatalogueRow], schema: PartSchema, entry: BenchmarkEntry) -> list[Pair]:
    """Pairs of the rows and their mirror images, as the entry's stage sees them."""
    asked = entry.chosen
    last = screen_of(asked) if isinstance(asked, ImageSettings) and asked.background == "green" else ()
    return real_pairs(workspace, rows, schema, asked.size, last)


def _shown(item: Pair, schema: PartSchema, entry: BenchmarkEntry) -> Pictures:
    return schema.colourise(without_ignore(item.mask)) if entry.stage == "mask" else item.photo


def _made(entry: BenchmarkEntry, folder: Path, held: Sequence[Pair]) -> list[Pictures]:
    """As many pictures of each class as were held out; photos of stage II for the held-out masks themselves."""
    sample = _sampler(entry, folder)
    made: list[Pictures] = []
    for car_class in sorted({item.car_class for item in held}):
        own = [item for item in held if item.car_class == car_class]
        made += sample(car_class, own, [derive(1, "contest", car_class.name, number) for number in range(len(own))])
    return made


_Sample = Callable[[CarClass, Sequence[Pair], Sequence[int]], Sequence[Pictures]]
"""``(class, held-out pairs of it, a seed each) -> pictures``."""


def _sampler(entry: BenchmarkEntry, folder: Path) -> _Sample:
    if entry.stage == "image":
        painter, _ = load_photo_sampler(folder)
        return partial(_painted, painter)
    if entry.stage == "image-unconditional":
        photos, _ = load_picture_sampler(folder)
        return lambda car_class, _, seeds: list(photos.sample(car_class, seeds))
    masks, _ = load_mask_sampler(folder)
    return lambda car_class, _, seeds: [
        masks.schema.colourise(mask) for mask in masks.sample(car_class, seeds, masks.size).masks
    ]


def _painted(painter: PhotoSampler, car_class: CarClass, own: Sequence[Pair], seeds: Sequence[int]) -> list[Pictures]:
    masks = np.stack([without_ignore(item.mask) for item in own])
    batches = (slice(begin, begin + BATCH) for begin in range(0, len(own), BATCH))
    return [photo for rows in batches for photo in painter.paint(masks[rows], car_class, seeds[rows]).photos]


def _inception(seen: PictureFeatures, extractor: Extractor) -> float:
    features: Any = seen.tables["features"]
    return inception_score(extractor.classify(torch.from_numpy(features)), splits=SPLITS).value


def _seconds_per_step(folder: Path) -> float:
    """Of the run's last line of metrics."""
    step, seconds = last_pace(folder)
    return seconds if step else float("nan")
