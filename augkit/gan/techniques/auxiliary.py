"""ACGAN (Odena et al. 2017): D is not told the class of a picture but asked for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.needs import CLASS_LOGITS, DISCRIMINATOR, Need
from augkit.core.section import Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from torch import Tensor, nn

    from augkit.gan.players import StepOutputs, Term


@TECHNIQUES.register("auxiliary")
class Auxiliary(Technique):
    """A head of D that guesses the class, and a term of each player: eq. 3, which both D and G maximise.

    D's is of real and of made pictures, G's of made ones; the class of a made one is the one that was asked for.
    """

    section: ClassVar[str] = "latent"
    example: ClassVar[Mapping[str, Any]] = {"condition": "auxiliary"}
    place: ClassVar[int] = 10

    auxiliary: Weight = 1.0
    """Weight of ACGAN's class losses."""
    condition: str = "none"

    @property
    def on(self) -> bool:
        """Where the class is asked for."""
        return self.condition == "auxiliary"

    @property
    def asked(self) -> str:
        """See ``on``."""
        return "condition=auxiliary"

    @property
    def needs(self) -> tuple[Need, ...]:
        """Who is asked, and can answer."""
        return DISCRIMINATOR, CLASS_LOGITS

    def faults(self) -> Iterator[str]:
        """A weight of nothing."""
        if not self.on and self.auxiliary != 1.0:
            yield "auxiliary is set, but condition is not auxiliary"

    def head(self, features: int, latent: int, spectral: bool) -> nn.Module:
        """See the class."""
        from augkit.models.conditioning import AuxiliaryHead

        del latent
        return AuxiliaryHead(features, spectral=spectral)

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        from torch.nn import functional

        from augkit.gan.players import Term

        del module

        def of_made(outputs: StepOutputs) -> Tensor:
            return functional.cross_entropy(outputs.fake_logits.float(), outputs.classes)

        def of_both(outputs: StepOutputs) -> Tensor:
            return functional.cross_entropy(outputs.real_logits.float(), outputs.classes) + of_made(outputs)

        return [Term("auxiliary", self.auxiliary, of_both if player == "D" else of_made)]
