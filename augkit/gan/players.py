"""Players: who owns which parameters, what they are trained with, and how they step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from augkit.core.errors import TrainingError


class Backend(Protocol):
    """What a step needs of Accelerate."""

    num_processes: int

    @property
    def device(self) -> torch.device:
        """Where the networks are."""

    def backward(self, loss: Tensor) -> None:
        """Back-propagates."""

    def reduce(self, tensor: Tensor, reduction: str) -> Tensor:
        """All-reduces over the processes."""


def _nothing() -> Tensor:
    return torch.empty(0)


def _no_scores(pictures: Tensor) -> Tensor:
    raise AssertionError(f"a term asks for scores of {len(pictures)} pictures in a game without D")


@dataclass
class StepOutputs:
    """What a player's terms may read: what went in, what came out. Fields that a game does not set stay empty.

    ``real_features`` and ``fake_features`` hold for each scale of D its layers, the scores last; ``*_logits`` are D's
    opinion of the class; ``moves`` (N, latent) is how far latents were moved before G saw them; ``score`` is D for
    pictures of this batch, with their classes; ``chance`` (N,) is uniform noise of the batch. ``rebuilt`` is what G
    makes of the noise that stands for ``real``; ``places`` (P,) are all places of D's map, counted row by row, in an
    order that is drawn. ``unpaired`` are fakes that no real picture is the counterpart of, judged by D alone, and
    ``unpaired_features`` what D says of them.
    """

    real: Tensor = field(default_factory=_nothing)
    fake: Tensor = field(default_factory=_nothing)
    masks: Tensor = field(default_factory=_nothing)
    classes: Tensor = field(default_factory=_nothing)
    real_features: list[list[Tensor]] = field(default_factory=list)
    fake_features: list[list[Tensor]] = field(default_factory=list)
    real_logits: Tensor = field(default_factory=_nothing)
    fake_logits: Tensor = field(default_factory=_nothing)
    mean: Tensor = field(default_factory=_nothing)
    log_variance: Tensor = field(default_factory=_nothing)
    moves: Tensor = field(default_factory=_nothing)
    chance: Tensor = field(default_factory=_nothing)
    rebuilt: Tensor = field(default_factory=_nothing)
    places: Tensor = field(default_factory=_nothing)
    score: Callable[[Tensor], Tensor] = _no_scores
    unpaired: Tensor = field(default_factory=_nothing)
    unpaired_features: list[list[Tensor]] = field(default_factory=list)


class TermState(nn.Module):
    """What a term remembers from step to step, as buffers. This one remembers nothing."""

    def settle(self, backend: Backend) -> None:
        """Called when the player has stepped: takes in what the terms saw, over all processes."""


@dataclass(frozen=True)
class Term:
    """A weighted loss of a player, due every so many steps.

    ``guess`` is what it is, without its weight, for a player who guesses; 0 where that says nothing.
    """

    name: str
    weight: float
    loss: Callable[[StepOutputs], Tensor]
    every: int = 1
    state: TermState = field(default_factory=TermState)
    guess: float = 0.0

    def due(self, step: int) -> bool:
        """Whether the term takes part in this step."""
        return step % self.every == 0

    def scaled(self, outputs: StepOutputs) -> Tensor:
        """weight * loss."""
        return self.weight * self.loss(outputs)


ASLEEP_FOR = "asleep_for"
"""Key of an optimiser's parameter group: the steps that its parameters stay as they are."""


class Player:
    """One side of a game: a module, the parameters it may train, its terms and its optimiser.

    ``parameters`` is the list the player owns; whatever of ``module`` is not in it stays frozen. A group of the
    optimiser with ``asleep_for`` joins the list after so many steps. ``rate`` maps the step to a factor of the
    learning rate.
    """

    def __init__(
        self,
        name: str,
        module: nn.Module,
        terms: Sequence[Term],
        optimiser: torch.optim.Optimizer,
        rate: Callable[[int], float],
        *,
        microbatches: int = 1,
        clip: float = float("inf"),
    ) -> None:
        self.name, self.module, self.terms = name, module, tuple(terms)
        self.optimiser, self.microbatches, self.clip = optimiser, microbatches, clip
        self.schedule = LambdaLR(optimiser, rate)
        self.losses: dict[str, Tensor] = {}
        self._at = 0
        for sleeper in self._parameters(awake=False):
            sleeper.requires_grad_(False)

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What the player owns at the present step."""
        return self._parameters(awake=True)

    def _parameters(self, awake: bool) -> list[nn.Parameter]:
        groups = self.optimiser.param_groups
        found = [group for group in groups if (group.get(ASLEEP_FOR, 0) <= self.schedule.last_epoch) is awake]
        return [parameter for group in found for parameter in group["params"]]

    def evaluate(self, outputs: StepOutputs, step: int) -> Mapping[str, Tensor]:
        """The terms that are due, weighted, by name."""
        return {term.name: term.scaled(outputs) for term in self.terms if term.due(step)}

    def backward(self, losses: Mapping[str, Tensor], step: int, backend: Backend) -> None:
        """Adds one microbatch's gradients. Raises TrainingError for a loss that is not finite."""
        for name, loss in losses.items():
            if not bool(torch.isfinite(loss)):
                raise TrainingError(
                    f"step {step}, player {self.name}, term {name}: loss is {float(loss.detach())}",
                    "a finite loss",
                    "lower the learning rate, or run in fp32 (--set precision=fp32)",
                )
        self._at, self.losses = step, {name: loss.detach() for name, loss in losses.items()}
        backend.backward(torch.stack(list(losses.values())).sum() / self.microbatches)

    def step(self, backend: Backend) -> None:
        """Averages the gradients over the processes, clips them, updates the parameters and the schedule.

        Raises TrainingError for a gradient that is not finite, before anything is updated.
        """
        if backend.num_processes > 1:
            average_gradients(self.parameters, backend)
        norm = torch.nn.utils.get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        if not bool(torch.isfinite(norm)):
            self._refuse_gradient()
        if self.clip < float("inf"):
            torch.nn.utils.clip_grads_with_norm_(self.parameters, self.clip, norm)
        self.optimiser.step()
        self.schedule.step()
        self.optimiser.zero_grad(set_to_none=True)
        for term in self.terms:
            term.state.settle(backend)

    def _refuse_gradient(self) -> None:
        gradients = ((name, own.grad) for name, own in self.module.named_parameters() if own.grad is not None)
        spoilt = [name for name, gradient in gradients if not bool(gradient.isfinite().all())]
        where = f"that of {spoilt[0]}" if spoilt else "their norm"  # which can overflow where each of them is finite
        raise TrainingError(
            f"step {self._at}, player {self.name}, terms {', '.join(self.losses)}: the losses are "
            f"finite, the gradients are not ({where})",
            "finite gradients",
            "lower the learning rate, or run in fp32 (--set precision=fp32)",
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything that a step depends on, besides the batch."""
        return {
            "module": self.module.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": {"last_epoch": self.schedule.last_epoch},
            "memories": {term.name: term.state.state_dict() for term in self.terms},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Inverse of ``state_dict``."""
        self.module.load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])
        for parameter, moments in self.optimiser.state.items():
            like = {name: value for name, value in moments.items() if value.shape == parameter.shape}
            moments |= {name: _laid_out_as(parameter, value) for name, value in like.items()}
        self.schedule.last_epoch = state["schedule"]["last_epoch"]
        for term in self.terms:
            term.state.load_state_dict(state["memories"][term.name])


@contextmanager
def turn(player: Player, players: Sequence[Player], shared: Sequence[Player] = ()) -> Iterator[None]:
    """Only this player's parameters take gradients inside the context, and those of the ``shared`` ones; afterwards
    each player's own do again.

    Works on the owned lists, never on modules: ``module.requires_grad_(True)`` would thaw what was frozen.
    """
    live = [player, *shared]
    others = [parameter for other in players if other not in live for parameter in other.parameters]
    for parameter in others:
        parameter.requires_grad_(False)
    for parameter in (parameter for own in live for parameter in own.parameters):
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in others:
            parameter.requires_grad_(True)


def average_gradients(parameters: Sequence[nn.Parameter], backend: Backend) -> None:
    """One all-reduce over the flattened gradients; a parameter that no term used counts as zero on its process."""
    gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = backend.reduce(torch.cat([gradient.reshape(-1) for gradient in gradients]), "mean")
    shares = torch.split(flat, [gradient.numel() for gradient in gradients])
    for parameter, gradient, share in zip(parameters, gradients, shares, strict=True):
        parameter.grad = _laid_out_as(parameter, share.view_as(gradient))


def _laid_out_as(parameter: Tensor, values: Tensor) -> Tensor:
    """The values in the parameter's memory format: fused optimisers walk both by address, whatever the strides say."""
    return torch.empty_like(parameter, dtype=values.dtype).copy_(values)
