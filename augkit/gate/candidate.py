"""What the gate judges, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from augkit.core.classes import CarClass
from augkit.core.parts import Mask
from augkit.data.pair import Pair, UnpaintedMask

Stage = Literal["mask", "photo"]
"""What a check needs: the mask alone, before anything is painted, or the photo too."""

Sides = Mapping[str, tuple[bool, bool]]
"""By score: whether low values are bad, and whether high ones are."""


@dataclass(frozen=True)
class Candidate:
    """One candidate: ``shown`` is its exact (S, S) mask under the class that it is to show and, once painted, the pair.

    ``exemplar`` is the real training photo whose appearance it takes over: no segmenter that trained on it may judge.
    ``own`` is the id of a real pair, which is judged as if it were new: by judges that have not seen it. ``given`` are
    scores that came with the mask. ``read``: the photo is real, and a teacher read the mask in it.
    """

    shown: Pair | UnpaintedMask
    exemplar: str = ""
    own: str = ""
    given: Mapping[str, float] = field(default_factory=dict)
    read: bool = False

    @property
    def mask(self) -> Mask:
        """(S, S) part ids."""
        return self.shown.mask

    @property
    def car_class(self) -> CarClass:
        """The class that it is to show."""
        return self.shown.car_class

    @property
    def pair(self) -> Pair:
        """The painted pair. Checks of the stage ``photo`` are asked for these only."""
        assert isinstance(self.shown, Pair), "judged before it was painted"
        return self.shown

    def changed(self, **changes: Any) -> Candidate:
        """With another ``photo``, ``mask`` or ``car_class`` of its pair."""
        return replace(self, shown=replace(self.pair, **changes))


@dataclass(frozen=True)
class Verdict:
    """Scores by name, and why the pair is rejected (empty where it is accepted)."""

    scores: dict[str, float]
    reasons: list[str]
