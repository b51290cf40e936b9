"""BiGAN (Donahue et al. 2017): an encoder is trained with G, and D judges pairs of picture and latent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.needs import DISCRIMINATOR, DRAWN_LATENTS, Need
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from torch import Tensor, nn

    from augkit.gan.players import StepOutputs, Term
    from augkit.losses.adversarial import AdversarialPair


@TECHNIQUES.register("bidirectional")
class Bidirectional(Technique):
    """D judges (x, E(x)) and (G(z), z) with a head that reads both."""

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"bidirectional": True}
    place: ClassVar[int] = 30

    bidirectional: bool = False
    condition: str = "none"

    @property
    def needs(self) -> tuple[Need, ...]:
        """A GAN: a VAE has an encoder already."""
        return DISCRIMINATOR, DRAWN_LATENTS

    @property
    def joint(self) -> bool:
        """See the class."""
        return self.bidirectional

    def head(self, features: int, latent: int, spectral: bool) -> nn.Module:
        """See the class."""
        from augkit.models.conditioning import JointHead

        return JointHead(features, latent, self.condition == "class", spectral=spectral)

    def adversarial_term(self, player: str, pair: AdversarialPair) -> Term | None:
        """G's and the encoder's side: D's loss with real and fake exchanged."""
        from augkit.gan.players import Term

        def loss(outputs: StepOutputs) -> Tensor:
            return pair.discriminator(outputs.fake_features[0][-1].float(), outputs.real_features[0][-1].float())

        return Term("adversarial", 1.0, loss) if player == "G" else None
