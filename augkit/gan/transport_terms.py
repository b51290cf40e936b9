"""The Sinkhorn divergence as terms of both players: D's map holds an embedding of each patch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from augkit.gan.players import StepOutputs, Term
from augkit.losses.sinkhorn import sinkhorn_divergence


@dataclass(frozen=True)
class SinkhornTerm:
    """How far the patches of the real and of the made picture are apart, at the drawn places of D's map.

    ``positions`` says whether where a patch is counts too.
    """

    epsilon: float
    iterations: int
    positions: bool

    def __call__(self, real: Float[Tensor, "n e h w"], fake: Float[Tensor, "n e h w"], patches: Tensor) -> Tensor:
        """The mean over the pictures."""
        where = _places(patches, real.shape[2], real.shape[3])
        places = (where, where) if self.positions else None
        return torch.stack([
            sinkhorn_divergence(
                a.flatten(1)[:, patches].T, b.flatten(1)[:, patches].T, places, self.epsilon, self.iterations
            )
            for a, b in zip(real, fake, strict=True)
        ]).mean()  # fmt: skip

    def term_d(self) -> Term:
        """D embeds such that real and made patches are far apart."""
        return Term(
            "adversarial", 1.0,
            lambda outputs: -self(outputs.real_features[0][-1], outputs.fake_features[0][-1], outputs.patches),
        )  # fmt: skip

    def term_g(self) -> Term:
        """G makes patches that are near the real ones."""

        def loss(outputs: StepOutputs) -> Tensor:
            with torch.no_grad():
                real = outputs.score(outputs.real)
            return self(real, outputs.fake_features[0][-1], outputs.patches)

        return Term("adversarial", 1.0, loss)


def _places(patches: Int[Tensor, " p"], height: int, width: int) -> Float[Tensor, "p 2"]:
    """Rows and columns in 0..1."""
    rows, columns = patches // width, patches % width
    return torch.stack([rows / max(1, height - 1), columns / max(1, width - 1)], 1)
