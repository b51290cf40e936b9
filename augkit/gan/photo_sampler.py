"""Stage II in use: masks and seeds in, photos out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from augkit.core.arithmetic import Arithmetic
from augkit.core.classes import CarClass
from augkit.core.parts import Mask
from augkit.core.seeds import derive
from augkit.data.pair import Pair
from augkit.data.warp.part_warp import WarpedPhoto
from augkit.gan.conditioning.conditioning import Conditioning, WarpedExemplars
from augkit.gan.exemplars import ExemplarBank
from augkit.gan.generated import Exemplar, GeneratedPhotos
from augkit.gan.photo_background import PhotoBackground
from augkit.gan.samplers import Photo, device_of, to_pixels


class PhotoSampler(nn.Module):
    """A painter with its bank of exemplars. A photo is a function of the weights, the mask, the class and its seed."""

    def __init__(self, painter: nn.Module, bank: ExemplarBank, backdrop: PhotoBackground | None = None) -> None:
        super().__init__()
        self.painter, self.bank, self.backdrop = painter, bank, backdrop or PhotoBackground()
        self._asked: dict[tuple[str, bool], Exemplar] = {}

    def ready(self, precision: Arithmetic = "fp32") -> PhotoSampler:
        """Itself, set up for use on a processor: G in that precision, weights ordered as convolutions are fastest."""
        generator = self.painter.generator
        assert isinstance(generator, nn.Module)
        generator.to(torch.bfloat16 if precision == "bf16" else torch.float32)
        return self.eval().to(memory_format=torch.channels_last)

    def on(self, device: torch.device) -> PhotoSampler:
        """Itself, painting there from now on; exemplars are warped where they are."""
        self.painter.to(device)
        return self

    def offer(self, pairs: Sequence[Pair], names: Sequence[str]) -> None:
        """More exemplars from now on."""
        self.bank = self.bank.with_more(pairs, names)

    def paint(
        self, masks: Mask, car_class: CarClass, seeds: Sequence[int], exemplar: Exemplar | None = None
    ) -> GeneratedPhotos:
        """(N, S, S) part ids -> photos, each after the exemplar that its seed draws, or all after the given one."""
        asked = exemplar and self._whole(exemplar)
        chosen = [asked or self.bank.draw(mask, car_class, seed) for mask, seed in zip(masks, seeds, strict=True)]
        warped = [self.bank.warp(exemplar, mask, car_class) for exemplar, mask in zip(chosen, masks, strict=True)]
        made = self.backdrop(self.repaint(masks, warped, seeds), masks, car_class, seeds)
        return GeneratedPhotos(made, [exemplar.name for exemplar in chosen])

    def _whole(self, exemplar: Exemplar) -> Exemplar:
        """With the body where the bank's have one; looked for once."""
        name = exemplar.name, exemplar.mirrored
        if name not in self._asked:
            self._asked[name] = replace(exemplar, pair=self.bank.whole(exemplar.pair))
        return self._asked[name]

    def warp(self, mask: Mask, car_class: CarClass, seed: int) -> Photo:
        """What G would start from for a mask (S, S): the exemplar that the seed draws, on the mask; (S, S, 3)."""
        return self.bank.warp(self.bank.draw(mask, car_class, seed), mask, car_class).photo

    @torch.inference_mode()
    def repaint(self, masks: Mask, warped: Sequence[WarpedPhoto], seeds: Sequence[int]) -> Photo:
        """Photos (N, S, S, 3) of exemplars that already lie on the masks, on the backgrounds that G paints."""

        def noise(name: str, *shape: int) -> Float[Tensor, "n *shape"]:  # noqa: F821
            generators = (torch.Generator().manual_seed(derive(seed, name)) for seed in seeds)
            return torch.stack([torch.randn(shape, generator=generator) for generator in generators]).to(device)

        device = device_of(self.painter)
        exemplars = WarpedExemplars.stack(warped).to(device)
        conditioning = Conditioning(torch.from_numpy(masks).long().to(device), exemplars, noise)
        return to_pixels(self.painter(conditioning).float())
