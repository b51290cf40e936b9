"""The error of pixels (Isola et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.needs import REAL_COUNTERPART, Need
from augkit.core.section import Weight
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from torch import nn

    from augkit.gan.players import Term


@TECHNIQUES.register("l1")
class L1(Technique):
    """A term of G: the mean absolute difference of made and real pixels."""

    section: ClassVar[str] = "image"
    example: ClassVar[Mapping[str, Any]] = {"l1": 2.0}
    place: ClassVar[int] = 20

    l1: Weight = 0.0

    @property
    def needs(self) -> tuple[Need, ...]:
        """What a made photo should have been."""
        return (REAL_COUNTERPART,)

    def terms(self, player: str, module: nn.Module) -> Sequence[Term]:
        """See the class."""
        from torch.nn import functional

        from augkit.gan.players import Term

        del module
        if player != "G":
            return []
        return [Term("l1", self.l1, lambda outputs: functional.l1_loss(outputs.fake.float(), outputs.real.float()))]
