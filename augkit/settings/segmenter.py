"""Section of the segmenter, and what pairs it may be trained on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from augkit.core.section import Count, CountOrZero, NetworkOptions, Positive, Share, Size
from augkit.settings.training import OptimSettings, TrainSettings

Source = Literal[
    "real", "all", "generated", "real+generated", "pseudo", "real+pseudo", "classical", "painted",
    "real+classical", "real+painted", "real+generated+classical",
]  # fmt: skip
SOURCES: dict[Source, tuple[str, ...]] = {
    "real": ("real",),
    "generated": ("generated",),
    "classical": ("classical",),
    "painted": ("painted",),
    "pseudo": ("pseudo",),
    "real+generated": ("real", "generated"),
    "real+pseudo": ("real", "pseudo"),
    "all": ("real", "pseudo", "generated"),
    "real+classical": ("real", "classical"),
    "real+painted": ("real", "painted"),
    "real+generated+classical": ("real", "generated", "classical"),
}
"""What a segmenter may be trained on, by the sources of the pairs; ``all`` is what `augkit balance` writes."""

MIXING = ("generated_share", "generated_until")
"""Settings of a segmenter that mean something only where real and made pairs are mixed."""


RENDERED = ("rendered_steps", "rendered_share", "rendered_until")
"""Settings of a segmenter about rendered cars; without ``rendered_steps`` the others mean nothing."""


class SegmenterSettings(TrainSettings):
    """The segmentation network that reads the result."""

    mixes_pairs: ClassVar[bool] = True

    model: str = "fpn"
    options: NetworkOptions = Field(default_factory=dict)
    optim: OptimSettings = OptimSettings(lr=3e-3, betas=(0.9, 0.999))
    encoder_lr: Positive = 6e-4
    """The rate of the network's pre-trained encoder; ``optim.lr`` is that of its decoder. Both rise over 20 steps and
    then fall to 0."""
    source: Source = "all"
    """``classical`` pairs are those of `augkit augment`, ``painted`` ones those of `augkit paint from --shards`."""
    generated_share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.25
    """Share of made pairs (generated, classical) in what the segmenter sees, where the source has real ones too."""
    generated_until: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    """Share of the steps, from the first on, in which made pairs come; the last steps see real pairs alone."""
    rare_classes: Share = 0.0
    """Pairs of a class are drawn with weight count^-this, among the real and among the made ones: 0 as often as they
    come, 1 all classes equally often."""
    augment: str = "mild"
    size: Size = 128
    steps: Count = 600
    batch: Count = 8
    ema: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.98
    rendered_steps: CountOrZero = 0
    """Steps from rendered cars before the first one from the pairs: shape and order of parts, which few labels show.
    Done once for all workspaces with these parts and settings; 0: none, and none beside the pairs either."""
    rendered_share: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.5
    """Share of rendered cars in what the segmenter sees after these steps."""
    rendered_until: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    """Share of the steps, from the first on, in which rendered cars come; the last steps see none."""

    def description(self, exclude: Collection[str] = ()) -> dict[str, Any]:
        """As of every section; without rendered cars where there are none, as before there were any."""
        return super().description(exclude if self.rendered_steps else {*exclude, *RENDERED})
