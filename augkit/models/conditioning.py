"""What makes a generator, an encoder or a discriminator of the networks of a ``PictureModel``: the class, the head.

The class joins G as an embedding beside z. What D makes of it is its head's affair; all heads are called alike,
``head(features (N, F), classes (N,), z (N, latent)) -> scores (N,), class logits (N, C)``, whether they read all
three or not. ``gives`` says what techniques may count on beside scores.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from augkit.core.classes import ALL_CLASSES
from augkit.core.needs import CLASS_LOGITS, DISCRIMINATOR, Need

CONDITION = 16
"""Width of the class embedding beside z."""


class ClassInput(nn.Embedding):
    """The class vector beside z, (N,) -> (N, width). Drawn as z is, from N(0, 1): initialisations leave it so."""


class Conditioned(nn.Module):
    """Vectors (N, V) and classes (N,) -> (N, V + width): the class's embedding joins the vector."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.embed = ClassInput(classes, width)

    def forward(self, vectors: Float[Tensor, "n v"], classes: Int[Tensor, " n"]) -> Float[Tensor, "n w"]:
        """See the class."""
        return torch.cat([vectors, self.embed(classes).to(vectors)], 1)


class Unconditioned(nn.Module):
    """Vectors (N, V) as they are, whatever the class."""

    def forward(self, vectors: Float[Tensor, "n v"], classes: Int[Tensor, " n"]) -> Float[Tensor, "n v"]:
        """See the class."""
        del classes
        return vectors


class ConditionedGenerator(nn.Module):
    """z (N, latent) and classes (N,) -> raw pictures (N, channels, size, size).

    ``classes`` is the number of classes, 0 for a generator that is not told; ``width`` is the ``condition`` that the
    generator was built with, and is not read where ``classes`` is 0.
    """

    def __init__(self, generator: nn.Module, classes: int = len(ALL_CLASSES), width: int = CONDITION) -> None:
        super().__init__()
        self.join = Conditioned(classes, width) if classes else Unconditioned()
        self.generator = generator

    def forward(self, z: Float[Tensor, "n latent"], classes: Int[Tensor, " n"]) -> Float[Tensor, "n c s s"]:
        """See the class."""
        pictures: Tensor = self.generator(self.join(z, classes))
        return pictures


class Encoder(nn.Module):
    """Pictures and classes -> mean and log-variance (clamped to [-10, 10]) of q(z | x), each (N, latent).

    ``width`` of the class embedding beside the features, 0 for an encoder that is not told the class.
    """

    def __init__(self, trunk: nn.Module, latent: int, width: int = 0) -> None:
        super().__init__()
        self.trunk = trunk
        self.join = Conditioned(len(ALL_CLASSES), width) if width else Unconditioned()
        self.head = nn.Linear(_features(trunk) + width, 2 * latent)

    def forward(
        self, pictures: Float[Tensor, "n c s s"], classes: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "n latent"], Float[Tensor, "n latent"]]:
        """See the class."""
        mean, log_variance = self.head(self.join(self.trunk(pictures), classes)).chunk(2, 1)
        return mean, log_variance.clamp(-10, 10)


class DiscriminatorOutput(NamedTuple):
    """What D says of pictures: raw scores (N,), class logits (N, C) or (N, 0), the trunk's features (N, F)."""

    scores: Tensor
    class_logits: Tensor
    features: Tensor


class Discriminator(nn.Module):
    """Pictures, classes and z -> ``DiscriminatorOutput``. z is the latent that a joint head reads; others ignore it."""

    def __init__(self, trunk: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    @property
    def stacks(self) -> list[list[nn.Module]]:
        """The trunk's blocks, from the input on."""
        blocks: Any = self.trunk.blocks
        return [list(blocks)]

    @property
    def gives(self) -> frozenset[Need]:
        """What techniques may count on."""
        parts: list[Any] = [self.trunk, self.head]
        return frozenset({DISCRIMINATOR}).union(*(part.gives for part in parts))

    def forward(
        self, pictures: Float[Tensor, "n c s s"], classes: Int[Tensor, " n"], z: Float[Tensor, "n latent"]
    ) -> DiscriminatorOutput:
        """See the class."""
        features = self.trunk(pictures)
        scores, class_logits = self.head(features, classes, z)
        return DiscriminatorOutput(scores, class_logits, features)


class LinearHead(nn.Module):
    """A linear score of the features; knows neither class nor latent."""

    gives: ClassVar[frozenset[Need]] = frozenset()

    def __init__(self, features: int, spectral: bool = False) -> None:
        super().__init__()
        self.linear = _normed(nn.Linear(features, 1), spectral)

    def forward(
        self, features: Float[Tensor, "n f"], classes: Int[Tensor, " n"], z: Float[Tensor, "n latent"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c"]]:
        """See the module."""
        del classes, z
        return self.linear(features).squeeze(1), _no_logits(features)


class ProjectionHead(nn.Module):
    """Linear score plus <class embedding, features> (Miyato and Koyama 2018, "cGANs with Projection", eq. 8).

    The embedding starts Xavier uniform: PyTorch's N(0, 1) would drown the linear score of thousands of features.
    """

    gives: ClassVar[frozenset[Need]] = frozenset()

    def __init__(self, features: int, spectral: bool = False) -> None:
        super().__init__()
        self.linear = _normed(nn.Linear(features, 1), spectral)
        embed = nn.Embedding(len(ALL_CLASSES), features)
        nn.init.xavier_uniform_(embed.weight)
        self.embed = _normed(embed, spectral)

    def forward(
        self, features: Float[Tensor, "n f"], classes: Int[Tensor, " n"], z: Float[Tensor, "n latent"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c"]]:
        """See the module."""
        del z
        scores = self.linear(features).squeeze(1) + (self.embed(classes) * features).sum(1)
        return scores, _no_logits(features)


class AuxiliaryHead(nn.Module):
    """Linear score that is not told the class, and logits that guess it (ACGAN, Odena et al. 2017)."""

    gives: ClassVar[frozenset[Need]] = frozenset({CLASS_LOGITS})

    def __init__(self, features: int, spectral: bool = False) -> None:
        super().__init__()
        self.linear = _normed(nn.Linear(features, 1), spectral)
        self.classify = _normed(nn.Linear(features, len(ALL_CLASSES)), spectral)

    def forward(
        self, features: Float[Tensor, "n f"], classes: Int[Tensor, " n"], z: Float[Tensor, "n latent"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c"]]:
        """See the module."""
        del classes, z
        return self.linear(features).squeeze(1), self.classify(features)


class JointHead(nn.Module):
    """Score of (features, z) together, for a bidirectional game (Donahue et al. 2017; Dumoulin et al. 2017).

    A perceptron of two hidden layers reads both; ``conditional`` scores its last features by projection on the class.
    """

    gives: ClassVar[frozenset[Need]] = frozenset()

    def __init__(
        self, features: int, latent: int, conditional: bool = False, hidden: int = 512, spectral: bool = False
    ) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            _normed(nn.Linear(features + latent, hidden), spectral),
            nn.LeakyReLU(0.2),
            _normed(nn.Linear(hidden, hidden), spectral),
            nn.LeakyReLU(0.2),
        )
        self.score = (ProjectionHead if conditional else LinearHead)(hidden, spectral)

    def forward(
        self, features: Float[Tensor, "n f"], classes: Int[Tensor, " n"], z: Float[Tensor, "n latent"]
    ) -> tuple[Float[Tensor, " n"], Float[Tensor, "n c"]]:
        """See the module."""
        scores, logits = self.score(self.mix(torch.cat([features, z.to(features)], 1)), classes, z)
        return scores, logits


def _normed(layer: nn.Module, spectral: bool) -> nn.Module:
    return spectral_norm(layer) if spectral else layer


def _features(trunk: nn.Module) -> int:
    features = trunk.features
    assert isinstance(features, int), "a trunk says how many features it gives"
    return features


def _no_logits(features: Tensor) -> Tensor:
    return features.new_zeros((len(features), 0))
