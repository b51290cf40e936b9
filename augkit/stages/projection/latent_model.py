"""A trained generator seen from its latents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema
from augkit.core.seeds import derive
from augkit.data.whole_car import body_of
from augkit.gan.image_tensors import palette_of, photos
from augkit.gan.latents import UniformPrior
from augkit.gan.samplers import LatentBank, MaskSampler, PictureSampler, Prior
from augkit.models.conditioning import Unconditioned
from augkit.stages.assignment import rows_of
from augkit.stages.mask import load_mask_sampler
from augkit.stages.model_store import ModelStore
from augkit.stages.projection.forms import ColourForm, Form, PartForm
from augkit.stages.unconditional import load_picture_sampler
from augkit.train.checkpoint import digest
from augkit.train.image_grid import Picture
from augkit.train.model_folder import MODEL, check_parts

LatentStage = Literal["mask", "image-unconditional"]
LATENT_STAGES: tuple[LatentStage, ...] = get_args(LatentStage)
"""The stages whose generators start from a latent."""

_DRAWS = 256


@dataclass(frozen=True)
class LatentModel:
    """A generator, frozen, on the CPU. ``digest`` is the hash of its weights' file, ``classes`` are those it knows,
    ``told`` says whether it is told which one it draws."""

    stage: LatentStage
    name: str
    digest: str
    sampler: MaskSampler | PictureSampler
    form: Form
    size: int
    classes: tuple[CarClass, ...]
    told: bool

    @property
    def generator(self) -> nn.Module:
        """(z (N, latent), class numbers (N,)) -> raw pictures."""
        return self.sampler.generator

    @property
    def prior(self) -> Prior:
        """The distribution of the latents."""
        return self.sampler.prior

    @cached_property
    def moments(self) -> tuple[Float[Tensor, " latent"], float]:
        """Mean of the latents, and their root mean square distance from it a dimension; of ``_DRAWS`` draws."""
        count = len(self.classes)
        z = torch.stack([self.prior.draw(self.classes[n % count], derive(0, "moments", n)) for n in range(_DRAWS)])
        centre = z.mean(0)
        return centre, float((z - centre).square().mean().sqrt())

    def raw(self, z: Float[Tensor, "n latent"], car_class: CarClass) -> Tensor:
        """What the generator makes of latents; gradients flow to them."""
        made: Tensor = self.generator(z, torch.full((len(z),), car_class.number))
        return made.float()

    def clip(self, z: Tensor) -> Tensor:
        """The nearest latents that the prior can draw: a uniform one ends at -1 and 1."""
        return z.clamp(-1, 1) if isinstance(self.prior, UniformPrior) else z

    def picture(self, z: Float[Tensor, " latent"], car_class: CarClass) -> Picture:
        """(S, S, 3) in colours."""
        if isinstance(self.sampler, PictureSampler):
            photo: Picture = self.sampler.decode(z[None], car_class)[0]
            return photo
        return self.sampler.schema.colourise(self.mask(z, car_class))

    def mask(self, z: Float[Tensor, " latent"], car_class: CarClass) -> Mask:
        """(S, S) part ids, of a generator of masks."""
        assert isinstance(self.sampler, MaskSampler)
        mask: Mask = self.sampler.decode(z[None], car_class, self.size).masks[0]
        return mask

    def require(self, car_class: CarClass) -> None:
        """Raises DataError where the generator is told the class and has never seen it."""
        if self.told and car_class not in self.classes:
            raise DataError(
                f"{self.stage} {self.name} was not trained on the class {car_class.name}",
                "one of " + ", ".join(known.name for known in self.classes),
                "name one of them with --class",
            )


def open_model(store: ModelStore, stage: LatentStage, name: str) -> LatentModel:
    """Raises CheckpointError where it is not trained, or was trained with other parts than the workspace's."""
    folder = store.folder(stage, name)
    sampler: MaskSampler | PictureSampler
    sampler, about = (load_mask_sampler if stage == "mask" else load_picture_sampler)(folder)
    check_parts(folder, about, store.schema)
    sampler.requires_grad_(False)
    return LatentModel(
        stage, name, digest(folder / MODEL), sampler, _form(sampler, store.schema), int(about["size"]),
        _classes(sampler.prior, store, name), _told(sampler.generator),
    )  # fmt: skip


def _form(sampler: MaskSampler | PictureSampler, schema: PartSchema) -> Form:
    if isinstance(sampler, PictureSampler):
        return ColourForm(photos)
    drawn = sampler.schema if body_of(sampler.schema) else schema
    return ColourForm(palette_of(drawn)) if sampler.output == "rgb" else PartForm(drawn)


def _classes(prior: Prior, store: ModelStore, name: str) -> tuple[CarClass, ...]:
    """Those of the latents, where real pictures' latents are kept; else those of the training rows, and mirrored."""
    if isinstance(prior, LatentBank):
        return tuple(ALL_CLASSES[number] for number in sorted(set(prior.classes.tolist())))
    own = {row.car_class for row in rows_of(name, store.rows).rows}
    return tuple(sorted(own | {car_class.mirror for car_class in own}))


def _told(generator: nn.Module) -> bool:
    return not isinstance(generator.join, Unconditioned)
