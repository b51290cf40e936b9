"""What the gate judges, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from augkit.core.classes import CarClass
from augkit.core.parts import Mask
from augkit.data.crop import Photo

Stage = Literal["mask", "photo"]
"""What a check needs: the mask alone, before anything is painted, or the photo too."""

Sides = Mapping[str, tuple[bool, bool]]
"""By score: whether low values are bad, and whether high ones are."""


@dataclass(frozen=True)
class Candidate:
    """One candidate: its exact (S, S) mask, the class that it is to show and, once it is painted, its (S, S, 3) photo.

    ``exemplar`` is the real training photo whose look it borrows: no segmenter that trained on it may judge. ``own`` is
    the id of a real pair, which is judged as if it were new: by judges that have not seen it. ``given`` are scores that
    came with the mask.
    """

    mask: Mask
    car_class: CarClass
    photo: Photo | None = None
    exemplar: str = ""
    own: str = ""
    given: Mapping[str, float] = field(default_factory=dict)

    @property
    def painted(self) -> Photo:
        """The photo. Checks of the stage ``photo`` are asked for painted pairs only."""
        assert self.photo is not None, "judged before it was painted"
        return self.photo


@dataclass(frozen=True)
class Verdict:
    """Scores by name, and why the pair is rejected (empty where it is accepted)."""

    scores: dict[str, float]
    reasons: list[str]
