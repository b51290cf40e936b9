"""The Sinkhorn divergence between D's embeddings of patches, as SinGAN's adversarial loss.

The formula and its sources: ``augkit.losses.sinkhorn``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from augkit.core.section import Count, Positive, Section
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from jaxtyping import Float, Int
    from torch import Tensor

    from augkit.gan.players import StepOutputs, Term
    from augkit.losses.adversarial import AdversarialPair


class SinkhornLoss(Section):
    """How far the patches of the real and of the made picture are apart, at places drawn from D's map."""

    embedding: Count = 32
    """Numbers of an embedding."""
    patches: Annotated[int, Field(ge=2, le=4096)] = 256
    """Patches of each picture that one turn compares."""
    positions: bool = False
    """Whether half the distance of two patches, over the picture's diagonal, is added to 1 - cosine."""
    epsilon: Positive = 0.1
    iterations: Count = 20

    def __call__(self, real: Float[Tensor, "n e h w"], fake: Float[Tensor, "n e h w"], places: Tensor) -> Tensor:
        """The mean over the pictures, at the first ``patches`` of the places."""
        import torch

        from augkit.losses.sinkhorn import sinkhorn_divergence

        chosen = places[: self.patches]
        where = coordinates(chosen, real.shape[2], real.shape[3])
        both = (where, where) if self.positions else None
        return torch.stack([
            sinkhorn_divergence(
                a.flatten(1)[:, chosen].T, b.flatten(1)[:, chosen].T, both, self.epsilon, self.iterations
            )
            for a, b in zip(real, fake, strict=True)
        ]).mean()  # fmt: skip


@TECHNIQUES.register("sinkhorn")
class Sinkhorn(Technique):
    """Both players' adversarial term under ``adversarial: sinkhorn``; D embeds patches instead of scoring them."""

    section: ClassVar[str] = "paint"
    example: ClassVar[Mapping[str, Any]] = {"adversarial": "sinkhorn"}
    place: ClassVar[int] = 20

    sinkhorn: SinkhornLoss = SinkhornLoss()
    adversarial: str = "none"

    @property
    def on(self) -> bool:
        """Where it is the adversarial loss."""
        return self.adversarial == "sinkhorn"

    def faults(self) -> Iterator[str]:
        """Settings that are not read."""
        if not self.on and self.sinkhorn != SinkhornLoss():
            yield f"sinkhorn is set, but adversarial is {self.adversarial}"

    @property
    def embedding(self) -> int:
        """See the class."""
        return self.sinkhorn.embedding

    def adversarial_term(self, player: str, pair: AdversarialPair) -> Term:
        """D embeds such that real and made patches are far apart; G makes patches that are near the real ones."""
        from augkit.gan.players import Term

        del pair
        return Term("adversarial", 1.0, self._of_d if player == "D" else self._of_g)

    def _of_d(self, outputs: StepOutputs) -> Tensor:
        return -self.sinkhorn(outputs.real_features[0][-1], outputs.fake_features[0][-1], outputs.places)

    def _of_g(self, outputs: StepOutputs) -> Tensor:
        import torch

        with torch.no_grad():
            real = outputs.score(outputs.real)
        return self.sinkhorn(real, outputs.fake_features[0][-1], outputs.places)


def coordinates(places: Int[Tensor, " p"], height: int, width: int) -> Float[Tensor, "p 2"]:
    """Rows and columns of places, counted row by row, in 0..1."""
    import torch

    rows, columns = places // width, places % width
    return torch.stack([rows / max(1, height - 1), columns / max(1, width - 1)], 1)
