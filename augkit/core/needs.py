"""What techniques need of the networks and the game that they are used in, and the matching of both.

Who gives something and who needs it name the same object, so that neither has to know the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from augkit.core.errors import ConfigError


@dataclass(frozen=True)
class Need:
    """``what`` is needed, as in "gives no ..."; ``remedy`` is what to do where it is not given."""

    what: str
    remedy: str


DISCRIMINATOR = Need("discriminator", "leave it out, choose a GAN's model, or give the VAE a critic")
OWN_SCORE = Need(
    "score of a picture that is its own alone, since D's batch normalisation mixes the pictures",
    "set options.norm to layer, spectral or none, or choose the model sngan",
)
"""D's score of a picture is a function of that picture, not of the batch that it comes with."""
BOUNDED_SLOPE = Need("D of bounded slope", "set gradient_penalty (10 in the paper), or options.norm to spectral")
CLASS_LOGITS = Need("opinion of the class", "choose another condition")
DRAWN_LATENTS = Need("latents that are drawn from a prior", "leave it out, or choose a GAN's model")
FREE_COLOURS = Need("pictures whose colours may change: a mask's say which part is where", "leave colour out")
D_LAYERS = Need("features of D's layers", "leave it out")
REAL_COUNTERPART = Need("real picture for each made one", "leave it out")
TRAINED_D = Need("D that was trained before", "start from a GAN's run (init_from), or set freeze_d to 0")


def match(needs: Mapping[str, Iterable[Need]], gives: Collection[Need], giver: str) -> None:
    """Raises ConfigError where a need is not met, with the names of who needs it and of ``giver``.

    ``needs``: by the setting that asks for them, the more basic first; the first of each that is missing is said.
    """
    unmet = {asker: [need for need in own if need not in gives] for asker, own in needs.items()}
    missing = [(asker, own[0]) for asker, own in unmet.items() if own]
    if missing:
        raise ConfigError(
            "; ".join(f"{asker} set, but {giver} gives no {need.what}" for asker, need in missing),
            "a network that gives what the settings need",
            "; ".join(dict.fromkeys(need.remedy for _, need in missing)),
        )
