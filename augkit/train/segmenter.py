"""The segmentation network as a task: trained on shards, measured on real held-out photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchmetrics.classification import MulticlassJaccardIndex

from augkit.classes import CarClass
from augkit.config import SOURCES, SegmenterSettings, Settings
from augkit.data.augment import Augmentation, Silhouette, no_silhouette
from augkit.data.crop import resize_mask
from augkit.data.pairs import Draw, PairItem
from augkit.data.pictures import read_silhouette, resize_photo
from augkit.errors import CheckpointError, ConfigError, DataError, ShardError
from augkit.gan.batch import Batch
from augkit.gan.game import Game
from augkit.gan.players import Play, Player
from augkit.gan.terms import dice_term, reconstruction_term
from augkit.losses.likelihood import part_weights
from augkit.models.registries import SEGMENTERS
from augkit.parts import IGNORE, PartSchema
from augkit.presets import load_recipe
from augkit.seeds import derive
from augkit.shards.codec import decode_mask, decode_photo
from augkit.train.checkpoint import load_state
from augkit.train.grid import Picture, grid
from augkit.train.hooks import Report
from augkit.train.machine import accelerator, resolve_precision
from augkit.train.mixture import RawPairs, mixture
from augkit.train.optim import adam, linear_decay
from augkit.train.task import MODEL, Run, Task, load_description, run_task
from augkit.workspace import Workspace

SHEET_ROWS = 8


class ShardPairs:
    """Pairs of the shards as training data: the same interface as ``PairDataset``.

    Where real and made pairs are among them, those of the scarcer kind appear several times, so that about
    ``generated_share`` of an epoch is made. A preset that replaces backgrounds reads the silhouettes of real pairs.
    """

    def __init__(  # each is a different thing
        self,
        shards: RawPairs,
        size: int,
        augment: str,
        generated_share: float = 0.5,
        workspace: Workspace | None = None,
    ) -> None:
        self.shards, self.size, self.workspace = shards, size, workspace
        self.augment = Augmentation(augment, shards.schema, workspace.backgrounds if workspace else None)
        self.classes = [CarClass.parse(name) for name in shards.classes]
        self.keys = shards.index["key"].to_pylist()
        made = np.array([source != "real" for source in shards.index["source"].to_pylist()])
        self.order = mixing_order(made, generated_share)

    def __len__(self) -> int:
        return len(self.order)

    def plain(self, index: int) -> PairItem:
        """The pair as it is, at the training size."""
        row = int(self.order[index])
        photo, mask = self.shards.raw(row)
        resized = resize_photo(decode_photo(photo), self.size), resize_mask(decode_mask(mask), self.size)
        return PairItem(*resized, self.classes[row])

    def __getitem__(self, draw: Draw) -> PairItem:
        """The pair, augmented with the draw's seed."""
        item = self.plain(draw.index)
        return PairItem(*self.augment(item.photo, item.mask, item.car_class, draw.seed, self._silhouette(draw.index)))

    def _silhouette(self, index: int) -> Callable[[], Silhouette]:
        if self.workspace is None:
            return no_silhouette
        return partial(read_silhouette, self.workspace, self.keys[int(self.order[index])], self.size)


def mixing_order(generated: NDArray[np.bool_], share: float) -> NDArray[np.int64]:
    """Row numbers in which rows marked ``generated`` make up about ``share``; whole repeats, none is left out."""
    made, real = np.flatnonzero(generated), np.flatnonzero(~generated)
    if not len(made) or not len(real):
        return np.arange(len(generated))
    wanted = len(made) * (1 - share) / share  # real rows for one copy of each generated one
    repeats = max(1, round(wanted / len(real))), max(1, round(len(real) / wanted))
    return np.concatenate([np.tile(real, repeats[0]), np.tile(made, repeats[1])])


def train_segmenter(
    workspace: Workspace, settings: Settings, resume: bool, report: Report | None = None, fresh: bool = False
) -> Path:
    """Trains on the shards' training split, the pairs that ``segmenter.source`` names; returns the model folder.

    Raises ShardError where there are no finished shards, DataError where none of their pairs could judge the result.
    """
    own = settings.segmenter
    _refuse_idle(own)
    shards = mixture(workspace, own.source)
    _require_validation(workspace)
    seed = derive(settings.seed, "segmenter", own.source)

    def build(device: torch.device) -> Task:
        return segmenter_task(workspace, shards, own, device)

    fingerprint = own.model_dump(mode="json", exclude={"steps", "sample_every", "save_every", "workers"})
    fingerprint |= {"seed": seed, "pairs": derive(0, *shards.index["key"].to_pylist())}
    fingerprint |= {"precision": resolve_precision(settings.precision)}
    fingerprint |= {"augment_steps": load_recipe(own.augment).digest}
    run = Run(workspace.model("segmenter", own.source), own, seed, fingerprint, resume, fresh, report)
    return run_task(build, run, accelerator(settings.precision))


def _require_validation(workspace: Workspace) -> None:
    """Before the training, not after it."""
    try:
        mixture(workspace, "real", "val")
    except ShardError as error:
        raise DataError(
            "no real pair of the validation split in the shards",
            "pairs to judge the segmenter by",
            "import again with a larger data.val_share, or name a val part where the data set fixes its splits",
        ) from error


def _refuse_idle(own: SegmenterSettings) -> None:
    made = set(SOURCES[own.source]) - {"real"}
    mixed = bool(made) and "real" in SOURCES[own.source]
    if not mixed and own.generated_share != type(own).model_fields["generated_share"].default:
        raise ConfigError(
            f"segmenter.generated_share with source {own.source}", "a source of real and made pairs",
            "leave one of them out",
        )  # fmt: skip
    if made and any(name == "Background" for name, _ in load_recipe(own.augment).steps):
        raise ConfigError(
            f"segmenter.augment {own.augment} with source {own.source}: made pairs have no silhouettes",
            "another preset, or source real",
            "`augkit augment --preset background` makes classical pairs with other backgrounds",
        )


def segmenter_task(workspace: Workspace, shards: RawPairs, settings: SegmenterSettings, device: torch.device) -> Task:
    """The segmenter on the given pairs."""
    pairs = ShardPairs(shards, settings.size, settings.augment, settings.generated_share, workspace)
    network = build_segmenter(settings.model, settings.options, shards.schema.channels, settings.size)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    pixels = torch.tensor(np.array(shards.index["histogram"].to_pylist()).sum(0), dtype=torch.float32)
    terms = [reconstruction_term(part_weights(pixels).to(device)), dice_term(0.5)]
    rate = linear_decay(settings.steps, 0.3)
    player = Player(
        "segmenter",
        network,
        terms,
        adam(network.parameters(), settings.optim),
        rate,
        microbatches=settings.microbatches,
    )

    def play(batch: Batch) -> Play:
        return Play(fake=network(batch.photos), masks=batch.masks)

    return Task(
        name=f"segmenter {settings.source}",
        pairs=pairs,
        game=Game((player,), {"segmenter": play}),
        learner=network,
        finish=lambda averaged: averaged,
        picture=lambda module: _picture(module, pairs),
        describe={
            "stage": "segmenter",
            "model": settings.model,
            "options": settings.options,
            "size": settings.size,
            "schema": shards.schema.to_dict(),
            "pairs": len(shards),
        },
    )


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
    state, _ = load_state(folder / MODEL)
    try:
        channels = PartSchema.from_dict(about["schema"]).channels
        network = build_segmenter(about["model"], about["options"] | {"pretrained": False}, channels, about["size"])
        network.load_state_dict(state)
    except (KeyError, TypeError, RuntimeError, ConfigError) as error:
        raise CheckpointError(f"{folder}: {error}", "a segmenter of this version", "train it again") from error
    return network.eval(), about


def evaluate_segmenter(workspace: Workspace, settings: Settings, split: str = "val") -> dict[str, float]:
    """IoU by part name on the real pairs of a split that no generator saw; ``mean`` over the parts that occur.

    Raises DataError where the split is empty.
    """
    network, about = load_segmenter(workspace.model("segmenter", settings.segmenter.source))
    held_out = mixture(workspace, "real", split)
    pairs = ShardPairs(held_out, about["size"], "none")
    return iou_by_part(network, [pairs.plain(index) for index in range(len(pairs))], held_out.schema)


@torch.inference_mode()
def iou_by_part(network: nn.Module, items: Sequence[PairItem], schema: PartSchema) -> dict[str, float]:
    """Intersection over union by part name, over all pixels of all items; ignore pixels left out."""
    if not items:
        raise DataError("no held-out pairs", "at least one", "raise data.val_share and import again")
    metric = MulticlassJaccardIndex(schema.channels, average="none", ignore_index=IGNORE, validate_args=False)
    occurs = torch.zeros(schema.channels, dtype=torch.bool)
    for item in items:
        truth = torch.from_numpy(item.mask).long()
        metric.update(_logits(network, item).argmax(1), truth[None])
        occurs[truth[truth != IGNORE]] = True
    scores = metric.compute().tolist()
    parts = [part for part in range(1, schema.channels) if occurs[part]]
    result = {schema.names[part]: scores[part] for part in parts}
    return result | {"mean": sum(result.values()) / max(1, len(result))}


def _logits(network: nn.Module, item: PairItem) -> Tensor:
    photo = torch.from_numpy(item.photo).permute(2, 0, 1)[None].float() / 127.5 - 1
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
