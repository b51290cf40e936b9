"""The arms of the comparison: on what, and how, a segmenter is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from augkit.core.errors import ConfigError
from augkit.settings import MIXING, SOURCES, Settings, Source

FLOOR = "flip"
"""The preset of what is not augmented classically: mirror images cost nobody anything."""


@dataclass(frozen=True)
class ArmKind:
    """``source`` of the pairs; whether the trainer augments them classically, on the fly, and by which preset that
    mixes pairs beside it; whether made pairs take a share of each batch; the kinds that it is compared with; whether
    the segmenter starts from rendered cars."""

    source: Source
    classical: bool = False
    mixing: str = ""
    mixed: bool = False
    against: tuple[str, ...] = ()
    rendered: bool = False

    @property
    def balanced(self) -> bool:
        """Whether pairs take part that the main job makes."""
        return not set(SOURCES[self.source]) <= {"real", "classical"}

    @property
    def ours(self) -> bool:
        """Whether augkit's pairs take part; all else is an opponent."""
        return self.balanced or self.rendered


_OPPONENTS = ("real+classical", "real")
KINDS: dict[str, ArmKind] = {
    "real": ArmKind("real"),
    "real+classical": ArmKind("real", classical=True, against=("real",)),
    "real+cutmix": ArmKind("real", classical=True, mixing="cutmix", against=("real+classical",)),
    "real+copy-paste": ArmKind("real", classical=True, mixing="copy-paste", against=("real+classical",)),
    "real+part-swap": ArmKind("real", classical=True, mixing="part-swap", against=("real+classical",)),
    "real+generated": ArmKind("real+generated", mixed=True, against=("real",)),
    "real+classical+generated": ArmKind("real+generated", classical=True, mixed=True, against=_OPPONENTS),
    "real+classical+pseudo": ArmKind("real+pseudo", classical=True, mixed=True, against=_OPPONENTS),
    "real+classical+rendered": ArmKind("real", classical=True, rendered=True, against=_OPPONENTS),
    "real+classical+rendered+pseudo": ArmKind(
        "real+pseudo", classical=True, mixed=True, against=_OPPONENTS, rendered=True
    ),
    "all": ArmKind("all", classical=True, mixed=True, against=_OPPONENTS),
    "generated": ArmKind("generated", against=("real",)),
    "generated+classical": ArmKind("generated", classical=True, against=("real+classical",)),
    "real+stored": ArmKind("real+classical", mixed=True, against=_OPPONENTS[::-1]),
}
"""``all``: whatever `augkit balance` wrote; ``stored``: the pairs of `augkit augment`, in place of an augmentation that
never repeats itself."""

DEFAULT = ("real", "real+classical", "real+cutmix", "real+copy-paste", "real+part-swap", "real+classical+generated")
WITH_RENDERED = "real+classical+rendered"
"""The arm that takes part by default where rendered cars have the parts."""
WITH_PSEUDO = ("real+classical+pseudo", "all")
"""Arms that take part by default where the shards hold pseudo pairs."""
RATIOS = (0.25, 0.5)
RENDERED_STEPS = 700
"""From rendered cars, in the arms that start from them, unless ``segmenter.rendered_steps`` says how many."""


@dataclass(frozen=True)
class Choice:
    """How a segmenter may be trained: a preset, factors of the learning rates and of the number of steps."""

    preset: str
    lr_factor: float = 1.0
    length: float = 1.0

    def applied(self, settings: Settings, steps: int) -> tuple[Settings, int]:
        """The settings and the steps with it."""
        own = settings.segmenter
        optim = own.optim.model_copy(update={"lr": own.optim.lr * self.lr_factor})
        changes = {"augment": self.preset, "optim": optim, "encoder_lr": own.encoder_lr * self.lr_factor}
        return (
            settings.model_copy(update={"segmenter": own.model_copy(update=changes)}),
            max(1, round(steps * self.length)),
        )

    def __str__(self) -> str:
        return f"{self.preset}, rates x {self.lr_factor:.2g}, steps x {self.length:g}"


@dataclass(frozen=True)
class Arm:
    """A kind with its share of made pairs (0 where the kind has none to choose)."""

    kind: str
    share: float = 0.0

    @property
    def name(self) -> str:
        """``real+generated@25``: the kind, and the share in per cent."""
        return f"{self.kind}@{100 * self.share:g}" if self.share else self.kind

    def settings(self, base: Settings, seed: int, steps: int, choice: Choice | None = None) -> Settings:
        """``base``, with a choice in place of what it says, and with what the arm asks of the segmenter.

        Raises ConfigError where there is nothing classical, unless it was chosen: a flip may be best.
        """
        if choice is not None:
            base, steps = choice.applied(base, steps)
        kind, own = KINDS[self.kind], base.segmenter
        if kind.classical and not kind.mixing and choice is None and own.augment in {"none", FLOOR}:
            raise ConfigError(
                f"the arm {self.kind} with segmenter.augment {own.augment}, which is the arm without it",
                "an augmentation preset that does more", "e.g. strong"
            )  # fmt: skip
        augment = own.augment if kind.classical else FLOOR
        augment = f"{augment}+{kind.mixing}" if kind.mixing else augment
        changes: dict[str, Any] = {"source": kind.source, "augment": augment, "steps": steps, "sample_every": steps}
        changes["rendered_steps"] = (own.rendered_steps or RENDERED_STEPS) if kind.rendered else 0
        if kind.mixed:
            changes["generated_share"] = self.share
        else:  # as by default, so that no arm is trained again for a setting without effect
            changes |= {name: type(own).model_fields[name].default for name in MIXING}
        segmenter = own.model_copy(update=changes)
        return base.model_copy(update={"seed": seed, "segmenter": segmenter})


def arms_of(kinds: Sequence[str], ratios: Sequence[float] | None = None) -> list[Arm]:
    """The arms of these kinds, the mixed ones at every ratio, by default ``RATIOS``. Raises ConfigError for what there
    is not."""
    ratios = RATIOS if ratios is None else ratios
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ConfigError(f"arms {', '.join(unknown) or '(none)'}", "among " + ", ".join(KINDS))
    wrong = [ratio for ratio in ratios if not 0 < ratio < 1]
    mixed = [kind for kind in kinds if KINDS[kind].mixed]
    if wrong or (mixed and not ratios):
        raise ConfigError(f"ratios {', '.join(map(str, wrong)) or '(none)'}", "shares between 0 and 1, e.g. 0.25")
    return [
        Arm(kind, ratio) for kind in dict.fromkeys(kinds) for ratio in (dict.fromkeys(ratios) if kind in mixed else [0])
    ]


def comparisons(arms: Sequence[Arm]) -> Iterator[tuple[Arm, Arm]]:
    """Each arm with those that it is compared with, as far as they take part."""
    for arm in arms:
        for against in KINDS[arm.kind].against:
            yield from ((arm, other) for other in arms if other.kind == against)
