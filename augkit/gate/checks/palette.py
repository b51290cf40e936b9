"""How far the colours of an RGB stage I lie from the parts' colours, against the mixing that resizing alone causes."""

from __future__ import annotations

from typing import ClassVar

import cv2
import torch

from augkit.core.parts import without_ignore
from augkit.core.pixels import normalise
from augkit.gan.samplers import snap
from augkit.gate.candidate import Candidate, Sides, Stage
from augkit.gate.gate_check import CHECKS, FittedState
from augkit.gate.reference import ReferenceSet


@CHECKS.register("palette")
class PaletteCheck:
    """The sampler's ``palette_distance`` in units of ``gate.slack``. Stages that give chances have none.

    A real pair's is that of its mask drawn in the parts' colours at the size of stage I, and resized as its output is.
    """

    stage: ClassVar[Stage] = "mask"
    sides: ClassVar[Sides] = {"palette_excess": (False, True)}

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None:
        del kept
        self.schema, options = references.schema, references.options
        self.slack, self.size = options.rule.slack, options.mask_size

    @classmethod
    def fit(cls, references: ReferenceSet) -> FittedState:
        """Nothing is learnt."""
        del references
        return FittedState()

    def score(self, candidate: Candidate) -> dict[str, float]:
        """Mean distance of a pixel, 0..255 a channel; of a made pair over ``slack``."""
        if candidate.own:
            drawn = self.schema.colourise(without_ignore(candidate.mask))
            small = cv2.resize(drawn, (self.size, self.size), interpolation=cv2.INTER_AREA)
            picture = normalise(torch.from_numpy(small).permute(2, 0, 1))[None]
            return {"palette_excess": float(snap(picture, candidate.mask.shape[0], self.schema)[1][0])}
        given = candidate.given.get("palette_distance")
        return {} if given is None else {"palette_excess": given / self.slack}
