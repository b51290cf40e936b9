"""What a plan comes to, and what a run did, as typed results: for the command line, for reports and for notebooks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from augkit.balance.device import DeviceChoice
from augkit.balance.planner import ClassProgress
from augkit.balance.precision import PrecisionChoice
from augkit.balance.read_photos import pseudo_by_class
from augkit.balance.run_plan import RunOutcome
from augkit.core.classes import CarClass


@dataclass(frozen=True)
class ClassPlan:
    """A class in the plan: its real pairs, ``training`` of them for training, and its progress beside these."""

    car_class: CarClass
    real: int
    training: int
    progress: ClassProgress
    mask_model: str
    image_model: str

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Real pairs, those for training, pairs that are lacking, and pairs that are yet to be made."""
        return self.real, self.training, self.progress.need + self.progress.extra, self.progress.todo

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        own = self.progress
        return {
            "real": self.real, "training": self.training, "need": own.need, "extra": own.extra,
            "accepted": own.accepted, "todo": own.todo, "given_up": own.given_up, "tried": own.tried,
            "accept_rate": round(own.rate.mean, 4), "candidates": own.candidates,
            "mask_model": self.mask_model, "image_model": self.image_model,
            "pseudo": own.pseudo, "offered": len(own.offered),
        }  # fmt: skip


@dataclass(frozen=True)
class PartPlan:
    """A part target: the part's share of the cars' pixels over the real training pairs, over those that there are
    now, and with all that is to be made; ``classes`` serve it, and it ``holds`` now or not."""

    name: str
    share: float
    real: float
    now: float
    expected: float
    holds: bool
    classes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "target": self.share, "real": round(self.real, 6), "now": round(self.now, 6),
            "expected": round(self.expected, 6), "holds": self.holds, "classes": self.classes,
        }  # fmt: skip


@dataclass(frozen=True)
class PlanSummary:
    """A plan before it is run; ``seconds`` are None where models or the gate have to be trained first."""

    target: int
    precision: PrecisionChoice
    device: DeviceChoice
    classes: Sequence[ClassPlan]
    parts: Sequence[PartPlan]
    untrained: Sequence[tuple[str, str]]
    shards: int
    megabytes: float
    seconds: float | None

    @property
    def candidates(self) -> int:
        """Candidates that the pairs to be made are expected to take."""
        return sum(line.progress.candidates for line in self.classes)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "target": self.target, "precision": self.precision.precision,
            "device": self.device.kind, "batch": self.device.batch,
            "classes": {line.car_class.name: line.to_dict() for line in self.classes},
            "parts": {part.name: part.to_dict() for part in self.parts},
            "untrained": [list(model) for model in self.untrained], "candidates": self.candidates,
            "shards": self.shards, "megabytes": round(self.megabytes, 1), "seconds": self.seconds,
        }  # fmt: skip


@dataclass(frozen=True)
class RunSummary:
    """What a run made: ``training`` are the real training pairs by class name, and ``parts`` the targets after it."""

    target: int
    precision: PrecisionChoice
    device: DeviceChoice
    training: Mapping[str, int]
    parts: Sequence[PartPlan]
    outcome: RunOutcome

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        outcome, read = self.outcome, pseudo_by_class(self.outcome.reports)
        return {
            "target": self.target, "precision": self.precision.precision,
            "device": self.device.kind, "batch": self.device.batch,
            "classes": {
                name: {"training": count, "generated": outcome.accepted.get(name, 0) - read[name], "pseudo": read[name]}
                for name, count in self.training.items()
            },
            "generated_now": outcome.generated_now,
            "tried": sum(report.tried for report in outcome.reports if report.class_name and report.kind != "pseudo"),
            "reasons": _most_frequent(report.reasons for report in outcome.reports),
            "short": {name: shortage(progress) for name, progress in outcome.short.items()},
            "parts": {part.name: part.to_dict() for part in self.parts}, "rounds": outcome.rounds,
            "failures": [vars(failure) for failure in outcome.failures],
        }  # fmt: skip

    def problems(self) -> list[str]:
        """What is lacking, and why; a line each."""
        lines = [_short_line(name, progress) for name, progress in self.outcome.short.items()]
        lines += [
            f"{part.name}: {part.now:.2%} of the cars' pixels, target {part.share:.2%}; no more pairs of "
            f"{', '.join(part.classes)} are tried for"
            for part in self.parts
            if not part.holds
        ]
        return lines + [f"{lost.shard} ({lost.class_name}): {lost.error}" for lost in self.outcome.failures]


def shortage(progress: ClassProgress) -> dict[str, Any]:
    """A class that misses its target, as plain data."""
    return {
        "wanted": progress.need, "accepted": progress.accepted, "tried": progress.tried,
        "accept_rate": round(progress.rate.mean, 4), "given_up": progress.given_up,
        "reasons": _most_frequent([progress.reasons]),
    }  # fmt: skip


def _short_line(name: str, progress: ClassProgress) -> str:
    reasons = list(_most_frequent([progress.reasons]).items())[:5]
    given_up = f", given up (estimated accept rate {progress.rate.mean:.1%})" if progress.given_up else ""
    return (
        f"{name}: {progress.accepted} of {progress.need} pairs after {progress.tried} candidates{given_up}; rejected "
        f"for {', '.join(f'{reason} ({count})' for reason, count in reasons) or 'nothing'}"
    )


def _most_frequent(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """The sums by name, the largest first."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(total.most_common())
