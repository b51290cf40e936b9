"""The segmentation network as a task: trained on shards, measured on real held-out photos."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from augkit.core.classes import CarClass
from augkit.core.errors import CheckpointError, ConfigError, DataError, ShardError
from augkit.core.parts import PartSchema
from augkit.core.presets import load_recipe
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.augment import Augmentation, Silhouette, no_silhouette
from augkit.data.canonical_pairs import PairCache
from augkit.data.draws import Draw
from augkit.data.pair import Pair, photo_to_tensor
from augkit.data.pair_files import read_silhouette
from augkit.gan.batch import Batch
from augkit.gan.game import Game
from augkit.gan.players import Player, StepOutputs
from augkit.gan.terms import segmentation_term
from augkit.losses.likelihood import part_weights
from augkit.metrics.overlap import TRUTH, iou, overlap
from augkit.models.registries import SEGMENTERS
from augkit.settings import MIXING, SOURCES, SegmenterSettings, Settings
from augkit.shards.codec import decode_mask, decode_photo
from augkit.stages.rendered_start import PRESET, BesideRendered, rendered_cars, rendered_start
from augkit.stages.training_mix import EncodedPairs, beside_rendered, is_made, sampling_of, training_mix
from augkit.train.fingerprint import CODE, require_fit
from augkit.train.image_grid import Picture, grid
from augkit.train.machine import accelerator, resolve_precision
from augkit.train.model_folder import load_description, load_weights
from augkit.train.optim import adam_at_two_rates, poly_decay
from augkit.train.run import TrainingRun, TrainingTask, run_task
from augkit.train.sampling import Sampling

SHEET_ROWS = 8
DICE = 0.5
"""Weight of the soft Dice beside the cross-entropy."""


class ShardPairs:
    """Pairs of the shards as training data: the same interface as ``PairDataset``.

    A preset that replaces backgrounds reads the silhouettes of real pairs; one that mixes pairs takes real ones as the
    other one, where there are any.
    """

    def __init__(self, shards: EncodedPairs, size: int, augment: str, workspace: Workspace | None = None) -> None:
        self.shards, self.size, self.workspace = shards, size, workspace
        self.augment = Augmentation(augment, shards.schema, workspace.backgrounds if workspace else None)
        self.classes = [CarClass.parse(name) for name in shards.classes]
        self.keys = shards.index["key"].to_pylist()
        made = is_made(shards)
        self._real = np.flatnonzero(~made if not made.all() else made).tolist()
        self._items = PairCache(self._read, len(shards), size)

    def __len__(self) -> int:
        return len(self.shards)

    def plain(self, index: int) -> Pair:
        """The pair as it is, at the training size."""
        return self._items[index]

    def _read(self, index: int) -> Pair:
        photo, mask = self.shards.raw(index)
        return Pair(decode_photo(photo), decode_mask(mask), self.classes[index]).resize(self.size)

    def __getitem__(self, draw: Draw) -> Pair:
        """The pair, augmented with the draw's seed."""
        return self.augment(
            self.plain(draw.index), draw.seed, self._silhouette(draw.index), partial(self._partner, draw.index)
        )

    def _partner(self, index: int, seed: int, like: CarClass | None) -> Pair:
        """Another real pair, of a class or its mirror image where there is one; the pair itself where it is alone."""
        others = [row for row in self._real if row != index]
        akin = [row for row in others if like is None or self.classes[row] in (like, like.mirror)]
        return self.plain(random.Random(seed).choice(akin or others or [index]))

    def _silhouette(self, index: int) -> Callable[[], Silhouette]:
        if self.workspace is None:
            return no_silhouette
        return partial(read_silhouette, self.workspace, self.keys[index], self.size)


def train_segmenter(
    workspace: Workspace, settings: Settings, resume: bool, progress: Progress = silent, fresh: bool = False
) -> Path:
    """Trains on the shards' training split, the pairs that ``segmenter.source`` names; returns the model folder.

    Raises ShardError where there are no finished shards, DataError where none of their pairs could judge the result.
    """
    shards = training_pairs(workspace, settings.segmenter)
    _require_validation(workspace)
    folder = workspace.model("segmenter", settings.segmenter.source)
    return fit_segmenter(workspace, settings, shards, folder, resume, progress, fresh)


def training_pairs(workspace: Workspace, own: SegmenterSettings) -> EncodedPairs:
    """What the settings ask to train on. Raises ConfigError for options without effect, ShardError without shards."""
    _refuse_idle(own)
    return training_mix(workspace, own.source)


def fit_segmenter(  # noqa: PLR0917  # each is a different thing
    workspace: Workspace,
    settings: Settings,
    shards: EncodedPairs,
    folder: Path,
    resume: bool,
    progress: Progress = silent,
    fresh: bool = False,
) -> Path:
    """Trains on these pairs in this folder; the rest as in ``train_segmenter``."""
    own = settings.segmenter

    def build(device: torch.device) -> TrainingTask:
        return segmenter_task(workspace, shards, own, device)

    run = TrainingRun(
        folder, own.run, _seed(settings), segmenter_fingerprint(settings, shards), resume, fresh, progress
    )
    return run_task(build, run, accelerator(settings.precision, settings.track, folder))


def segmenter_fingerprint(settings: Settings, shards: EncodedPairs) -> dict[str, Any]:
    """What a resumed run must share with the run it goes on from: settings, seed, and the bytes of the pairs."""
    own = settings.segmenter
    columns = [shards.index[name].to_pylist() for name in ("key", "photo_crc32", "mask_crc32")]
    pairs = derive(0, *(f"{key}:{photo}:{mask}" for key, photo, mask in zip(*columns, strict=True)))
    return own.description(exclude=("steps", "sample_every", "save_every", "workers")) | {
        "seed": _seed(settings), "pairs": pairs, "code": CODE, "precision": resolve_precision(settings.precision),
        "augment_steps": load_recipe(own.augment).digest,
    }  # fmt: skip


def _seed(settings: Settings) -> int:
    """The same for every source: segmenters of one seed start from the same weights."""
    return derive(settings.seed, "segmenter")


def _require_validation(workspace: Workspace) -> None:
    """Before the training, not after it."""
    try:
        training_mix(workspace, "real", "val")
    except ShardError as error:
        raise DataError(
            "no real pair of the validation split in the shards",
            "pairs to judge the segmenter by",
            "import again with a larger data.val_share, or name a val part where the data set fixes its splits",
        ) from error


def _refuse_idle(own: SegmenterSettings) -> None:
    made = set(SOURCES[own.source]) - {"real"}
    mixed = bool(made) and "real" in SOURCES[own.source]
    idle = [name for name in MIXING if not mixed and getattr(own, name) != type(own).model_fields[name].default]
    if idle:
        raise ConfigError(
            f"segmenter.{idle[0]} with source {own.source}", "a source of real and made pairs", "leave one of them out"
        )
    if made and any(name == "Background" for name, _ in load_recipe(own.augment).steps):
        raise ConfigError(
            f"segmenter.augment {own.augment} with source {own.source}: made pairs have no silhouettes",
            "another preset, or source real",
            "`augkit augment --preset background` makes classical pairs with other backgrounds",
        )


def segmenter_task(
    workspace: Workspace, shards: EncodedPairs, settings: SegmenterSettings, device: torch.device
) -> TrainingTask:
    """The segmenter on the given pairs; with ``rendered_steps`` it starts from rendered cars, and sees them beside."""
    pairs = ShardPairs(shards, settings.size, settings.augment, workspace)
    network = build_segmenter(settings.model, settings.options, shards.schema.channels, settings.size)
    cars = rendered_cars(shards.schema, settings.size) if settings.rendered_steps else None
    if cars is not None:
        network.load_state_dict(rendered_start(partial(segmenter_task, workspace), cars, settings))
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    player = Player(
        "segmenter",
        network,
        [segmentation_term(part_weights(_pixels(shards, cars, settings.rendered_share)).to(device), DICE)],
        _optimiser(network, settings),
        poly_decay(settings.steps),
        microbatches=settings.microbatches,
    )

    def outputs(batch: Batch) -> StepOutputs:
        return StepOutputs(fake=network(batch.photos), masks=batch.masks)

    def sampling(rows: int) -> Sampling:
        del rows
        return sampling_of(shards, settings) if cars is None else beside_rendered(shards, len(cars), settings)

    return TrainingTask(
        name=f"segmenter {settings.source}",
        pairs=pairs if cars is None else BesideRendered(pairs, ShardPairs(cars, settings.size, PRESET)),
        game=Game((player,), {"segmenter": outputs}),
        learner=network,
        finish=lambda averaged: averaged,
        picture=lambda module: _picture(module, pairs),
        sampling=sampling,
        describe={
            "stage": "segmenter",
            "model": settings.model,
            "options": settings.options,
            "size": settings.size,
            "schema": shards.schema.to_dict(),
            "pairs": len(shards),
        },
    )


def _optimiser(network: nn.Module, settings: SegmenterSettings) -> torch.optim.Optimizer:
    encoder = list(cast(nn.Module, network.encoder).parameters())
    pretrained = {id(parameter) for parameter in encoder}
    others = [parameter for parameter in network.parameters() if id(parameter) not in pretrained]
    return adam_at_two_rates(encoder, settings.encoder_lr, others, settings.optim.adam)


def _pixels(shards: EncodedPairs, cars: EncodedPairs | None, share: float) -> Tensor:
    """(channels,) pixels by part in the real pairs, which are what the network is for; in all where none is real.

    Beside rendered cars as shares of what is seen, theirs as well: few labels may show no pixel of a part.
    """
    made = is_made(shards)
    own = _histograms(shards)[~made if not made.all() else made].sum(0)
    if cars is not None:
        drawn = _histograms(cars).sum(0)
        own = (1 - share) * own / own.sum() + share * drawn / drawn.sum()
    return torch.tensor(own, dtype=torch.float32)


def _histograms(shards: EncodedPairs) -> NDArray[np.float64]:
    return np.array(shards.index["histogram"].to_pylist(), float)


def build_segmenter(model: str, options: dict[str, Any], channels: int, size: int) -> nn.Module:
    """The network that the settings name. Raises ConfigError for options or a size it does not take."""
    try:
        network = SEGMENTERS[model](channels, **options)
    except TypeError as error:
        raise ConfigError(f"segmenter.options {options} for {model}: {error}") from error
    divisor = int(network.divisor)  # type: ignore[arg-type]
    if size % divisor:
        raise ConfigError(f"segmenter.size {size}", f"a multiple of {divisor} for {model}")
    return network


def load_segmenter(folder: Path) -> tuple[nn.Module, dict[str, Any]]:
    """A trained segmenter and its description. Raises CheckpointError where the folder does not hold one."""
    about = load_description(folder)
    state = load_weights(folder)
    try:
        channels = PartSchema.from_dict(about["schema"]).channels
        network = build_segmenter(about["model"], about["options"] | {"pretrained": False}, channels, about["size"])
        network.load_state_dict(state)
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        raise CheckpointError(f"{folder}: {error}", "a segmenter of this version", "train it again") from error
    return network.eval(), about


def evaluate_segmenter(workspace: Workspace, settings: Settings, split: str = "val") -> dict[str, float]:
    """IoU by part name on the real pairs of a split that no generator saw; ``mean`` over the parts that occur.

    Raises DataError where the split is empty, CheckpointError where the segmenter was trained with other settings or on
    other pairs.
    """
    folder = workspace.model("segmenter", settings.segmenter.source)
    network, about = load_segmenter(folder)
    trained_on = segmenter_fingerprint(settings, training_pairs(workspace, settings.segmenter))
    again = f"augkit train segmenter --source {settings.segmenter.source} --fresh"
    require_fit(folder, about, trained_on, (), f"train it again: {again}")
    held_out = training_mix(workspace, "real", split)
    pairs = ShardPairs(held_out, about["size"], "none")
    return iou_by_part(network, [pairs.plain(index) for index in range(len(pairs))], held_out.schema)


def iou_by_part(network: nn.Module, items: Sequence[Pair], schema: PartSchema) -> dict[str, float]:
    """Intersection over union by part name, over all pixels of all items; ignore pixels left out."""
    counts = read_all(network, items, schema).sum(0)[1:]
    occurs = counts[:, TRUTH] > 0
    scores = [(name, value) for name, value, there in zip(schema.names[1:], iou(counts), occurs, strict=True) if there]
    return dict(scores) | {"mean": float(np.mean([value for _, value in scores])) if scores else 0.0}


@torch.inference_mode()
def read_all(network: nn.Module, items: Sequence[Pair], schema: PartSchema) -> NDArray[np.int64]:
    """What the network reads against the truth: (items, channels, 3) pixels, see ``overlap``.

    Raises DataError for no items.
    """
    if not items:
        raise DataError("no held-out pairs", "at least one", "raise data.val_share and import again")
    read = [_logits(network, item).argmax(1)[0].numpy() for item in items]
    return np.stack([overlap(own, item.mask, schema.channels) for own, item in zip(read, items, strict=True)])


def _logits(network: nn.Module, item: Pair) -> Tensor:
    photo = photo_to_tensor(item.photo)[None]
    logits: Tensor = network(photo.to(next(network.parameters()).device))
    return logits.float().cpu()


@torch.inference_mode()
def _picture(network: nn.Module, pairs: ShardPairs) -> Picture:
    """A row a pair: photo, its mask, and what the network reads."""
    schema, step = pairs.shards.schema, max(1, len(pairs) // SHEET_ROWS)
    lines = []
    for index in range(0, len(pairs), step)[:SHEET_ROWS]:
        item = pairs.plain(index)
        read = _logits(network.eval(), item).argmax(1)[0].to(torch.uint8).numpy()
        lines.append([item.photo, schema.colourise(item.mask), schema.colourise(read)])
    return grid(lines)
