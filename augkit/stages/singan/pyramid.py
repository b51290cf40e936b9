"""A pyramid on disk: scales trained one after the other, each in a folder of its own, and what they make together.

WORKSPACE/models/paint/{name}/
  photo.png, mask.png   what it is trained on, as it was given; no mask where the photo had none
  scale-00/ ...         one run a scale, the coarsest first (see ``task.py``)
  config.json           sizes, settings, whose photo it is; written last, so its presence means "finished"
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from augkit.core.arithmetic import Precision
from augkit.core.atomic_file import write_json
from augkit.core.errors import CheckpointError, ConfigError, DataError
from augkit.core.lock import held
from augkit.core.memory import release_memory
from augkit.core.parts import PartSchema
from augkit.core.progress import Progress, silent
from augkit.core.seeds import derive
from augkit.core.workspace import Workspace
from augkit.data.crop import Photo
from augkit.data.pair import Pair
from augkit.data.pair_files import read_mask, read_photo
from augkit.models.singan import Pyramid, Side, pyramid_sizes
from augkit.settings import PaintSettings, Settings
from augkit.stages.singan.scale import Scale, load_generator, photo_of, pixels, resized, scale_task, seeded_noise
from augkit.stages.singan.training_photo import TrainingPhoto, view_of
from augkit.train.checkpoint import digest
from augkit.train.image_grid import write_picture
from augkit.train.machine import accelerator, resolve_precision
from augkit.train.model_folder import CONFIG, MODEL, is_finished, load_description
from augkit.train.run import TrainingRun, TrainingTask, run_task

STAGE = "paint"
PHOTO, MASK = "photo.png", "mask.png"


@dataclass(frozen=True)
class TrainedPyramid:
    """A trained pyramid with what it was trained on; ``about`` is its description."""

    folder: Path
    pyramid: Pyramid
    subject: TrainingPhoto
    about: dict[str, Any]

    @property
    def name(self) -> str:
        """The subject's."""
        return self.subject.name

    @property
    def digest(self) -> str:
        """Names the weights of all scales."""
        return sha256("".join(self.about["weights"]).encode()).hexdigest()

    @property
    def side(self) -> Side:
        """(height, width) of what it makes."""
        return self.pyramid.sizes[-1]

    def shown(self) -> Photo:
        """The photo at the size of what is made."""
        return resized(self.subject.photo, self.side)

    @torch.inference_mode()
    def rebuild(self) -> Photo:
        """The photo, made from the fixed noise."""
        return photo_of(self.pyramid.rebuild())

    @torch.inference_mode()
    def sample(self, seed: int, first: int = 0) -> Photo:
        """A new picture; the scales below ``first`` make the photo again. Raises ConfigError for no such scale."""
        if not 0 <= first < len(self.pyramid):
            raise ConfigError(f"--from-scale {first}", f"0 (the coarsest) to {len(self.pyramid) - 1} (the finest)")
        start = self.pyramid.rebuild(first) if first else self.pyramid.nothing()
        return photo_of(self.pyramid.climb(start, seeded_noise(self.pyramid, seed), first))


def train_pyramid(
    workspace: Workspace,
    subject: TrainingPhoto,
    settings: Settings,
    *,
    fresh: bool = False,
    progress: Progress = silent,
) -> Path:
    """Trains what is missing, scale by scale; returns the folder.

    An interrupted pyramid goes on where it was. Raises CheckpointError where one of another photo or of other settings
    is in the way, DataError for a photo that is too small, and BusyError where another command trains it.
    """
    with held(workspace.model(STAGE, subject.name)):
        return _trained_pyramid(workspace, subject, settings, fresh, progress)


def _trained_pyramid(
    workspace: Workspace, subject: TrainingPhoto, settings: Settings, fresh: bool, progress: Progress
) -> Path:
    own, folder = settings.paint, workspace.model(STAGE, subject.name)
    height, width = subject.photo.shape[:2]
    sizes = pyramid_sizes(height, width, own.coarsest, own.factor, own.size)
    seed = derive(settings.seed, STAGE, subject.name)
    # bf16 is the slower one on so few channels, so only who asks for it gets it
    precision: Precision = "fp32" if settings.precision == "auto" else settings.precision
    common = own.model_dump(mode="json", exclude={"sample_every", "save_every"}) | {
        "photo": subject.digest, "seed": seed, "precision": resolve_precision(precision),
        "sizes": [list(side) for side in sizes],
    }  # fmt: skip
    pyramid = Pyramid([], sizes[:1], _fixed(sizes[0], seed)).eval()
    backend, hashes = accelerator(precision), list[str]()
    for number, side in enumerate(sizes):
        place = folder / f"scale-{number:02d}"
        beneath = folder / f"scale-{number - 1:02d}" if number else None
        scale = Scale(pyramid, side, subject.photo, beneath)
        fingerprint = common | {"scale": number, "beneath": hashes[-1] if hashes else ""}
        if fresh or not _is_done(place, fingerprint):
            (folder / CONFIG).unlink(missing_ok=True)
            run = TrainingRun(
                place, own.run, derive(seed, number), fingerprint, resume=True, fresh=fresh, progress=progress
            )
            _train(subject.name, scale, own, run, backend)
        hashes.append(digest(place / MODEL))
        pyramid = pyramid.with_scale(load_generator(place, load_description(place)), side)
    if backend.is_main_process:
        _finish(folder, subject, common | {"weights": hashes})
    release_memory()
    return folder


def load_painter(workspace: Workspace, name: str | None) -> TrainedPyramid:
    """A finished pyramid; the only one where none is named. Raises CheckpointError, or ConfigError without a name."""
    name = name or _only(workspace)
    folder = workspace.model(STAGE, name)
    about = load_description(folder)
    try:
        sizes = [(int(height), int(width)) for height, width in about["sizes"]]
        pyramid = Pyramid([], sizes[:1], _fixed(sizes[0], int(about["seed"])))
        for number, (side, weights) in enumerate(zip(sizes, about["weights"], strict=True)):
            place = folder / f"scale-{number:02d}"
            if digest(place / MODEL) != weights:
                raise ValueError(f"{place} was trained again on its own")
            pyramid = pyramid.with_scale(load_generator(place, load_description(place)), side)
        subject = TrainingPhoto(name, str(about["word"]), _shown(workspace, folder, about), str(about["sha256"]))
        return TrainedPyramid(folder, pyramid, subject, about)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise CheckpointError(
            f"{folder}: {error}", "a finished pyramid of this version", "train it: augkit paint train --fresh"
        ) from error


def _shown(workspace: Workspace, folder: Path, about: dict[str, Any]) -> Pair | Photo:
    photo = read_photo(folder / PHOTO)
    if not about["has_mask"]:
        return photo
    mask = read_mask(folder / MASK)
    return Pair(photo, mask, view_of(mask, PartSchema.load(workspace.schema)))


def fidelity(painter: TrainedPyramid) -> float:
    """How near the photo made from the fixed noise is to the photo, as PSNR in dB."""
    error = (pixels(painter.rebuild()) - pixels(painter.shown())).square().mean()
    return float(10 * torch.log10(4 / error.clamp_min(1e-10)))


def _fixed(side: Side, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(derive(seed, "fixed"))
    return torch.randn(1, 1, *side, generator=generator).expand(-1, 3, -1, -1).contiguous()


def _train(name: str, scale: Scale, settings: PaintSettings, run: TrainingRun, backend: Accelerator) -> None:
    def build(device: torch.device) -> TrainingTask:
        task = scale_task(name, scale, settings, device)
        return replace(task, describe=task.describe | {"fingerprint": run.fingerprint})

    run_task(build, run, backend)


def _is_done(place: Path, fingerprint: dict[str, Any]) -> bool:
    """Whether a scale is finished as it was asked for; anything else is for ``run_task`` to go on with, or refuse."""
    return is_finished(place) and load_description(place).get("fingerprint") == fingerprint


def _finish(folder: Path, subject: TrainingPhoto, about: dict[str, Any]) -> None:
    """The photo, its mask and the description."""
    write_picture(folder / PHOTO, subject.photo)
    if subject.pair is not None:
        write_picture(folder / MASK, subject.pair.mask)
    about |= {"stage": STAGE, "word": subject.word, "sha256": subject.sha256, "has_mask": subject.pair is not None}
    write_json(folder / CONFIG, about)


def _only(workspace: Workspace) -> str:
    found = sorted(path.parent.name for path in (workspace.models / STAGE).glob(f"*/{CONFIG}"))
    if len(found) != 1:
        raise DataError(
            f"{len(found)} trained pyramids" + (f": {', '.join(found)}" if found else ""), "one, or --model NAME",
            "name one of them" if found else "train one: augkit paint train PHOTO|PAIR",
        )  # fmt: skip
    return found[0]
