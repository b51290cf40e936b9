"""Tiny runs of every stage, and shards for the segmenter."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.storage import LocalStorage
from augkit.core.workspace import Workspace
from augkit.data.catalogue import read_catalogue
from augkit.data.pair_files import read_mask, read_photo
from augkit.models.registries import PHOTO_GENERATORS, PICTURE_MODELS, SEGMENTERS
from augkit.settings import Settings, load_settings
from augkit.shards.codec import encode_mask, encode_photo
from augkit.shards.index import finish
from augkit.shards.writer import PairRecord
from augkit.stages.image import load_photo_sampler
from augkit.stages.mask import load_mask_sampler
from augkit.stages.model_store import ModelStore, Stage
from augkit.stages.segmenter import load_segmenter, train_segmenter
from augkit.stages.unconditional import load_picture_sampler
from tests.sharding import SplitWriters

SMALL = ["mask.size=16", "mask.batch=4"]
GAN = [*SMALL, "mask.options={latent: 4}"]
TINY: dict[str, tuple[str, list[str]]] = {
    "mask-vae": ("mask", [*SMALL, "mask.options={base: 8, latent: 4}"]),
    "vae-dense": ("mask", [*SMALL, "mask.model=vae-dense", "mask.options={latent: 4}"]),
    "vae-convolutional": ("mask", [*SMALL, "mask.model=vae-convolutional", "mask.options={latent: 4}"]),
    "dcgan-deconvolution": ("mask", [*GAN, "mask.output=rgb", "mask.model=dcgan-deconvolution"]),
    "dcgan-upsampling": ("mask", [*GAN, "mask.model=dcgan-upsampling"]),
    "dcgan": ("image-unconditional", ["unconditional.batch=4", "unconditional.options={latent: 4}"]),
    "dcgan-bigger": ("mask", [*GAN, "mask.model=dcgan-bigger", "mask.size=64"]),
    "resnet18-gan": ("mask", [*GAN, "mask.model=resnet18-gan", "mask.size=32"]),
    "resnet34-gan": ("mask", [*GAN, "mask.model=resnet34-gan", "mask.size=32"]),
    "sngan": ("mask", [*SMALL, "mask.model=sngan", "mask.size=32", "mask.options={latent: 4, ch: 8}"]),
    "translator": ("image", ["image.batch=2", "image.options={base: 4, levels: 1, blocks: 1}"]),
    "pix2pixhd-global": (
        "image",
        ["image.batch=2", "image.model=pix2pixhd-global", "image.options={base: 4, levels: 2, blocks: 1}"],
    ),
    "pix2pixhd-local": (
        "image",
        [
            "image.batch=2",
            "image.model=pix2pixhd-local",
            "image.options={base: 4, levels: 2, blocks: 1}",
            "image.conditioning=[styles]",
            "image.repair=false",
            "image.pool=2",
            "image.adversarial=lsgan",
        ],
    ),
    "fpn": ("segmenter", ["segmenter.batch=2", "segmenter.options={pretrained: false, widths: [8, 8, 8]}"]),
    "unet": (
        "segmenter",
        [
            "segmenter.model=unet",
            "segmenter.batch=2",
            "segmenter.options={pretrained: false, widths: [16, 8, 8, 8, 8]}",
        ],
    ),
}
"""What is trained, and what makes it tiny; below, the registered networks that are not listed with their defaults."""
for _stage, _models, _few in (
    ("mask", PICTURE_MODELS, SMALL),
    ("image", PHOTO_GENERATORS, ["image.batch=2"]),
    ("segmenter", SEGMENTERS, ["segmenter.batch=2"]),
):
    TINY |= {
        name: (_stage, [*_few, f"{_stage}.model={name}", f"{_stage}.options={{}}"])
        for name in _models
        if name not in TINY
    }

LOAD = {
    "mask": load_mask_sampler,
    "image": load_photo_sampler,
    "image-unconditional": load_picture_sampler,
    "segmenter": load_segmenter,
}


def tiny(name: str, steps: int, *more: str) -> Settings:
    """The smoke preset with a tiny network, saved every second step."""
    stage, overrides = TINY[name]
    section = "unconditional" if stage == "image-unconditional" else stage
    length = [f"{section}.steps={steps}", f"{section}.sample_every={steps}", f"{section}.save_every=2"]
    return load_settings("smoke", [*overrides, *length, *more])


def run(name: str, workspace: Workspace, settings: Settings, resume: bool = False, progress: Progress = silent) -> Path:
    """Trains it with new objects throughout; the model folder."""
    stage = TINY[name][0]
    if stage == "segmenter":
        return train_segmenter(workspace, settings, resume, progress)
    return ModelStore.open(workspace, settings).train(cast("Stage", stage), "all", resume, progress)


class KilledError(BaseException):
    """Stands for the end of the process."""


def killed_at(last: int) -> Progress:
    """A progress that ends the run once ``last`` steps are done."""

    def told(task: str, step: int, steps: int, /) -> None:
        if step == last:
            raise KilledError

    return told


def write_shards(workspace: Workspace) -> None:
    """The workspace's real pairs as a finished data set."""
    storage, schema = LocalStorage(workspace.shards), PartSchema.load(workspace.schema)
    writer = SplitWriters(storage)
    for row in read_catalogue(workspace.catalogue):
        photo, extension = encode_photo(read_photo(workspace.photo(row.id)))
        record = PairRecord(
            row.id, row.split, "real", row.orientation, row.doors, 0, "", "", row.size, row.size, row.histogram
        )
        writer.add(record, photo, extension, encode_mask(read_mask(workspace.mask(row.id))))
    finish(storage, writer.commit("row"), schema, "plan", {})
