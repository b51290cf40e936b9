"""Feature matching (Salimans et al. 2016, as in Wang et al. 2018): made photos look to D's layers as real ones do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.needs import D_LAYERS, Need
from augkit.core.section import Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor, nn

    from augkit.gan.players import StepOutputs, Term


@TECHNIQUES.register("feature_matching")
class FeatureMatching(Technique):
    """A term of G."""

    section: ClassVar[str] = "image"
    example: ClassVar[Mapping[str, Any]] = {"feature_matching": 10.0}
    place: ClassVar[int] = 10

    feature_matching: Weight = 0.0

    @property
    def needs(self) -> tuple[Need, ...]:
        """More than D's scores."""
        return (D_LAYERS,)

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        from augkit.gan.players import Term

        del module

        def loss(outputs: StepOutputs) -> Tensor:
            return feature_matching(outputs.real_features, outputs.fake_features)

        return [Term("feature_matching", self.feature_matching, loss)] if player == "G" else []


def feature_matching(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Float[Tensor, ""]:
    """Mean L1 over D's layers but the last, averaged over the scales (Wang et al. 2018, eq. 4).

    ``real`` and ``fake``: for each scale the features of every layer, the scores last. ``real`` is not trained through.
    pix2pixHD sums over its n_layers + 1 layers with weight 10 * 4/(n_layers + 1) / n_scales: 40 times this mean.
    """
    import torch
    from torch.nn import functional

    scales = []
    for real_scale, fake_scale in zip(real, fake, strict=True):
        layers = [
            functional.l1_loss(f.float(), r.detach().float())
            for r, f in zip(real_scale[:-1], fake_scale[:-1], strict=True)
        ]
        scales.append(torch.stack(layers).mean())
    return torch.stack(scales).mean()
