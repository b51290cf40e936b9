"""The perceptual loss (Johnson et al. 2016): made and real photos look alike to a network that knows pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.needs import REAL_COUNTERPART, Need
from augkit.core.section import Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from torch import Tensor, nn

    from augkit.gan.players import StepOutputs, Term


@TECHNIQUES.register("perceptual")
class Perceptual(Technique):
    """A term of G, measured by a frozen network (see ``augkit.models.registries``)."""

    section: ClassVar[str] = "image"
    example: ClassVar[Mapping[str, Any]] = {"perceptual": 2.0}
    place: ClassVar[int] = 30

    perceptual: Weight = 0.0
    perceptual_network: str = "lite0"
    """``vgg19`` is the published one."""
    perceptual_weights: str | None = None
    """File of vgg19's weights; where none is given, torch's own copy."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What a made photo should have been."""
        return (REAL_COUNTERPART,)

    def faults(self) -> Iterator[str]:
        """A network that nobody asks."""
        if not self.perceptual and (self.perceptual_weights or self.perceptual_network != "lite0"):
            yield "perceptual_network or perceptual_weights is set, but perceptual is 0"

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class. Raises CheckpointError where the network's weights are not to be had."""
        import torch

        from augkit.models.registries import PERCEPTUAL_NETWORKS

        if player != "G":
            return []
        weights = self.perceptual_weights
        network = PERCEPTUAL_NETWORKS[self.perceptual_network](None if weights is None else Path(weights))
        device = next(module.parameters()).device
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return [perceptual_term(self.perceptual, network)]


def perceptual_term(weight: float, network: nn.Module) -> Term:
    """By a network at hand."""
    import torch

    from augkit.gan.players import Term
    from augkit.losses.perceptual import perceptual

    layers: Any = network.weights
    relative = bool(network.relative)

    def loss(outputs: StepOutputs) -> Tensor:
        with torch.no_grad():
            real = network(outputs.real)
        return perceptual(real, network(outputs.fake), layers, relative)

    return Term("perceptual", weight, loss)
