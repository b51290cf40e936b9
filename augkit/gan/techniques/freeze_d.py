"""FreezeD (Mo et al. 2020): the first blocks of a D that was trained before keep their weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from augkit.core.errors import ConfigError
from augkit.core.needs import TRAINED_D, Need
from augkit.core.section import CountOrZero
from augkit.gan.techniques import TECHNIQUES, Technique

if TYPE_CHECKING:
    from torch import nn


@TECHNIQUES.register("freeze_d")
class FreezeD(Technique):
    """So many blocks of every scale of D, from its input, are not trained."""

    section: ClassVar[str] = "start"
    example: ClassVar[Mapping[str, Any]] = {"freeze_d": 1, "init_from": "RUN"}

    freeze_d: CountOrZero = 0
    """Blocks of D, from its input, that keep the weights of ``init_from``."""
    init_from: str | None = None

    @property
    def needs(self) -> tuple[Need, ...]:
        """What is frozen must have been learnt."""
        return (TRAINED_D,)

    def faults(self) -> Iterator[str]:
        """Nothing was learnt."""
        if self.freeze_d and not self.init_from:
            yield "freeze_d keeps random weights: set init_from, or freeze_d to 0"

    def freeze(self, stacks: Sequence[Sequence[nn.Module]]) -> None:
        """They keep their batch statistics too: nothing puts them back into training mode.

        Raises ConfigError for more blocks than there are.
        """
        for blocks in stacks:
            if self.freeze_d > len(blocks):
                raise ConfigError(f"freeze_d {self.freeze_d}: D has {len(blocks)} blocks", f"at most {len(blocks)}")
            for block in blocks[: self.freeze_d]:
                block.requires_grad_(False).eval()
