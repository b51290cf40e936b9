"""The checks of the gate: one file each in ``checks``, which registers itself.

A check is fitted once, from real pairs, and kept; a worker builds it again from what was kept. It gives scores; which
of them reject is decided by bounds on real pairs' scores, the same way for all checks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from augkit.core.parts import Mask
from augkit.core.registry import Registry
from augkit.gate.candidate import Candidate, Sides, Stage

if TYPE_CHECKING:
    from augkit.gate.reference import ReferenceSet


@dataclass(frozen=True)
class FittedState:
    """What a fit leaves: tensors, and plain data; ``floors`` by score, the value up to which true copies come."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)


class GateCheck(Protocol):
    """One check, built as ``GateCheck(kept, references)``.

    ``sides`` names its scores with bounds, and whether low and whether high values are bad.
    """

    stage: ClassVar[Stage]
    sides: ClassVar[Sides]

    def __init__(self, kept: FittedState, references: ReferenceSet) -> None: ...

    @classmethod
    def fit(cls, references: ReferenceSet) -> FittedState:
        """Learns from the training rows; a fold's rows are judged by what was learnt without them."""

    def score(self, candidate: Candidate) -> dict[str, float]:
        """Scores of a pair; a function of the pair alone."""


@runtime_checkable
class MaskFilter(Protocol):
    """A check that tells which pixels of a pair are doubtful."""

    def filter(self, candidate: Candidate) -> Mask:
        """The candidate's mask to train with: as it is, but that doubtful pixels are ignored."""


@runtime_checkable
class NetworkCheck(Protocol):
    """A check with networks."""

    def on(self, device: torch.device) -> None:
        """Computes there from now on."""


CHECKS: Registry[type[GateCheck]] = Registry("check of the gate", "augkit.gate.checks")
