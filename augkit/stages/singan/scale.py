"""One scale of a pyramid as a task: everything below it is trained."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from augkit.core.errors import CheckpointError
from augkit.core.seeds import derive
from augkit.data.crop import Photo
from augkit.data.pair import photo_to_tensor
from augkit.gan import singan_game, terms
from augkit.gan.game import Game
from augkit.gan.players import Player
from augkit.gan.samplers import to_pixels
from augkit.gan.technique_set import TechniqueSet
from augkit.losses.adversarial import ADVERSARIAL
from augkit.models.singan import Pyramid, ScaleDiscriminator, ScaleGenerator, Side, channels_at, enlarge
from augkit.settings import PaintSettings
from augkit.stages.singan.training_photo import SinglePhotoDataset
from augkit.train.checkpoint import load_state
from augkit.train.image_grid import Picture, grid
from augkit.train.model_folder import CHECKPOINT, load_weights
from augkit.train.optim import adam
from augkit.train.run import TrainingTask

SHEET_SAMPLES = 4
DROP = 0.1
"""What the learning rates fall to at ``drop_at``."""


@dataclass(frozen=True)
class Scale:
    """What a scale is trained on: its place above ``below``, its size, and the folder of the one beneath, if any."""

    below: Pyramid
    side: Side
    photo: Photo
    beneath: Path | None

    @property
    def number(self) -> int:
        """0 is the coarsest."""
        return len(self.below)


def scale_task(name: str, scale: Scale, settings: PaintSettings, device: torch.device) -> TrainingTask:
    """The scale's G and D, which start from those beneath where these have as many channels."""
    real = resized(scale.photo, scale.side)
    below = scale.below.to(device).requires_grad_(False)
    base = enlarge(below.rebuild(), scale.side)
    channels = channels_at(scale.number, settings.channels, settings.double_every)
    generator = ScaleGenerator(channels, _amplitude(scale, base, real, settings.noise))
    discriminator = ScaleDiscriminator(channels, TechniqueSet.of(settings, "paint").embedding)
    if scale.beneath is not None:
        _inherit(scale.beneath, generator, discriminator)
    generator.to(device)
    discriminator.to(device)
    fixed = below.fixed if scale.number == 0 else torch.zeros((), device=device)
    networks = singan_game.ScaleNetworks(below, generator, discriminator, scale.side, base, fixed)
    return TrainingTask(
        name=f"paint {name} scale {scale.number} ({scale.side[1]} x {scale.side[0]} px)",
        pairs=SinglePhotoDataset(real),
        game=_game(networks, settings),
        learner=generator,
        finish=lambda averaged: averaged.to("cpu"),
        picture=lambda module: _picture(module, scale, real),
        describe={"stage": "paint", "scale": scale.number, "height": scale.side[0], "width": scale.side[1],
                  "channels": channels, "amplitude": float(generator.amplitude)},
    )  # fmt: skip


def pixels(photo: Photo) -> Tensor:
    """(H, W, 3) bytes -> (1, 3, H, W) in [-1, 1]."""
    return photo_to_tensor(photo)[None]


def photo_of(picture: Tensor) -> Photo:
    """(1, 3, H, W) in [-1, 1], what lies outside cut off -> (H, W, 3) bytes."""
    photo: Photo = to_pixels(picture.detach().float().cpu())[0]
    return photo


def resized(photo: Photo, side: Side) -> Photo:
    """(H, W, 3) -> (*side, 3), area means."""
    if photo.shape[:2] == tuple(side):
        return photo
    return np.asarray(cv2.resize(photo, (side[1], side[0]), interpolation=cv2.INTER_AREA), np.uint8)


def seeded_noise(pyramid: Pyramid, seed: int) -> Callable[[int], Tensor]:
    """Noise of every scale for one picture, a function of its seed."""

    def noise(scale: int) -> Tensor:
        generator = torch.Generator().manual_seed(derive(seed, "noise", scale))
        colours = 1 if scale == 0 else 3  # as in training
        return torch.randn(1, colours, *pyramid.sizes[scale], generator=generator).expand(-1, 3, -1, -1)

    return noise


def _amplitude(scale: Scale, base: Tensor, real: Photo, share: float) -> float:
    """The noise's standard deviation: 1 at the coarsest scale, then ``share`` of what is still missing there."""
    if scale.number == 0:
        return 1.0
    return share * float((base.cpu() - pixels(real)).square().mean().sqrt())


def _inherit(folder: Path, generator: ScaleGenerator, discriminator: ScaleDiscriminator) -> None:
    """Starts from the networks of the scale beneath, where they are as wide. Raises CheckpointError."""
    game = load_state(folder / CHECKPOINT)[0]["game"]
    for name, module in (("G", generator), ("D", discriminator)):
        state = {key: value for key, value in game[name]["module"].items() if key != "amplitude"}
        own = module.state_dict()
        if all(own[key].shape == value.shape for key, value in state.items()):
            module.load_state_dict(state, strict=False)


def _game(networks: singan_game.ScaleNetworks, settings: PaintSettings) -> Game:
    techniques, pair = TechniqueSet.of(settings, "paint"), ADVERSARIAL["wgan"]
    d, g = networks.discriminator, networks.generator
    of_d = [techniques.adversarial_term("D", pair, terms.adversarial_d(pair)), *techniques.terms("D", d)]
    of_g = [
        techniques.adversarial_term("G", pair, terms.adversarial_g(pair)),
        terms.rebuilding_term(settings.reconstruction),
        *techniques.terms("G", g),
    ]
    optim_d, optim_g = adam(d.parameters(), settings.optim_d.adam), adam(g.parameters(), settings.optim.adam)
    players = (Player("D", d, of_d, optim_d, _rate(settings, settings.d_steps)),) * settings.d_steps
    players += (Player("G", g, of_g, optim_g, _rate(settings, settings.g_steps)),) * settings.g_steps
    forwards = {"D": singan_game.discriminator_forward(networks), "G": singan_game.generator_forward(networks)}
    return Game(players, forwards)


def _rate(settings: PaintSettings, turns: int) -> Callable[[int], float]:
    """A tenth from the share ``drop_at`` of the steps on; a schedule counts the player's ``turns``, not steps."""
    drop = round(settings.drop_at * settings.steps)
    last = turns * (drop if drop < settings.steps else settings.steps + 1)
    return lambda turn: 1.0 if turn < last else DROP


def load_generator(folder: Path, about: dict[str, object]) -> ScaleGenerator:
    """The trained generator of a scale. Raises CheckpointError where the folder does not hold one."""
    try:
        generator = ScaleGenerator(int(str(about["channels"])))
        generator.load_state_dict(load_weights(folder))
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{folder}: {error}", "a scale of a pyramid of this version", "train it again: augkit paint train --fresh"
        ) from error
    return generator.eval()


@torch.inference_mode()
def _picture(module: nn.Module, scale: Scale, real: Photo) -> Picture:
    """The photo at this scale, the photo made again, and new pictures."""
    assert isinstance(module, ScaleGenerator)
    below = copy.deepcopy(scale.below).to("cpu")  # the training's own stays on its device
    whole = below.with_scale(module, scale.side)
    made = [whole.climb(whole.nothing(), seeded_noise(whole, derive(0, "sheet", n))) for n in range(SHEET_SAMPLES)]
    return grid([[real, photo_of(whole.rebuild()), *map(photo_of, made)]])
