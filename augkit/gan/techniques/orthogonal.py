"""Orthogonal regularisation (Brock et al. 2019): the rows of a layer's weights are held at right angles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.section import Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor, nn

    from augkit.gan.players import StepOutputs, Term


@TECHNIQUES.register("orthogonal")
class Orthogonal(Technique):
    """A term of both players; the paper takes 1e-4."""

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"orthogonal": 1e-4}
    place: ClassVar[int] = 80

    orthogonal: Weight = 0.0

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        from augkit.gan.players import Term

        del player

        def loss(outputs: StepOutputs) -> Tensor:
            del outputs
            return orthogonality(module)

        return [Term("orthogonal", self.orthogonal, loss)]


def orthogonality(module: nn.Module) -> Float[Tensor, ""]:
    """Sum over the weights W (one row an output) of ||W W^T * (1 - I)||_F^2 (Brock et al. 2019, eq. 3).

    The rows' own lengths are free. Biases, norms and embeddings are left out.
    """
    import torch
    from torch import nn

    total = torch.zeros(())
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            weight = layer.weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else layer.weight
            rows = weight.flatten(1).float()
            products = rows @ rows.T
            total = total.to(products.device) + (products - torch.diag(products.diagonal())).square().sum()
    return total
