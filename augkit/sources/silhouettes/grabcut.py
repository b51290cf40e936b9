"""GrabCut as a silhouette method; ``augkit.data.foreground`` has the algorithm."""

from __future__ import annotations

from augkit.core.errors import ConfigError
from augkit.core.parts import Mask
from augkit.data.crop import Photo
from augkit.data.foreground import bounds, from_parts
from augkit.sources.silhouettes import SILHOUETTES, Detection, Options


@SILHOUETTES.register("grabcut")
class GrabCut:
    """The silhouette by the parts. They are a person's word that a car is there, so that its score is 1."""

    min_score = 0.0

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        if options != Options():
            raise ConfigError(
                "--min-score or --weights with --method grabcut",
                "neither: GrabCut has no score and no weights",
                "leave them out, or choose a detector with --method",
            )

    def __call__(self, photo: Photo, mask: Mask) -> Detection | None:
        """``from_parts``, with its box; None where there is no part."""
        silhouette = from_parts(photo, mask)
        if not silhouette.any():
            return None
        rows, columns = bounds(silhouette)
        return Detection(silhouette, 1.0, (columns.start, rows.start, columns.stop, rows.stop))
