"""LOGAN (Wu et al. 2019): latents are moved towards D's approval before G and D see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from augkit.core.needs import DISCRIMINATOR, DRAWN_LATENTS, OWN_SCORE, Need
from augkit.core.section import Count, Positive, Section, Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor, nn

    from augkit.gan.batch import Batch
    from augkit.gan.latents import UniformPrior
    from augkit.gan.players import Term
    from augkit.gan.slots import Score


class LatentOptimisation(Section):
    """The natural gradient step (Wu et al. 2019, eq. 8): dz = alpha * g / (beta + ||g||^2), g = df/dz per sample.

    ``steps`` steps, each clipped to [-1, 1]. The moves stay in the graph: who trains on them trains through the
    gradient. A random ``share`` of the latents is moved, the others stay.
    """

    alpha: Positive = 0.9
    beta: Positive = 5.0
    weight: Weight = 300.0
    """Of the regulariser: the mean squared length of the moves."""
    share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    """Share of the latents that are moved."""
    steps: Count = 1

    def __call__(
        self, z: Float[Tensor, "n d"], score: Score, batch: Batch, name: str
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]]:
        """See the class; ``moves`` are the sums of dz before clipping, 0 where a latent stays."""
        import torch

        chosen = batch.uniform(f"{name}-moved", 1) < self.share
        start = z.requires_grad_()
        place, moves = start, torch.zeros_like(start)
        for _ in range(self.steps):
            [gradient] = torch.autograd.grad(score(place).float().sum(), place, create_graph=True)
            step = self.alpha * gradient / (self.beta + gradient.square().sum(1, keepdim=True))
            moves = moves + step
            place = (place + step).clamp(-1, 1)
        return torch.where(chosen, place, start), torch.where(chosen, moves, torch.zeros_like(moves))

    def prior(self, latent: int) -> UniformPrior:
        """The cube that the moves are clipped to."""
        from augkit.gan.latents import UniformPrior

        return UniformPrior(latent)


@TECHNIQUES.register("latent_optimisation")
class Logan(Technique):
    """Moves of the latents in both players' turns, and a term of both that keeps the moves short."""

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"latent_optimisation": {}}
    place: ClassVar[int] = 20
    drawn_with: ClassVar[bool] = True

    latent_optimisation: LatentOptimisation | None = None

    @property
    def needs(self) -> tuple[Need, ...]:
        """Without a score of its own a latent's gradient is that of the whole batch."""
        return DISCRIMINATOR, DRAWN_LATENTS, OWN_SCORE

    def refiner(self) -> LatentOptimisation | None:
        """See the class."""
        return self.latent_optimisation

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        from augkit.gan.players import Term

        del player, module
        asked = self.latent_optimisation
        if asked is None:
            return []
        return [Term("latent_moves", asked.weight, lambda outputs: latent_moves(outputs.moves))]


def latent_moves(moves: Float[Tensor, "n d"]) -> Float[Tensor, ""]:
    """E ||dz||^2 (Wu et al. 2019, eq. 10, without its weight)."""
    return moves.float().square().sum(1).mean()
