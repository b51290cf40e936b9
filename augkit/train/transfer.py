"""Starting from another run: its networks, read for other parts where the schemas differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from augkit.core.errors import CheckpointError
from augkit.train.checkpoint import load_state
from augkit.train.model_folder import CHECKPOINT

Weights: TypeAlias = dict[str, Tensor]


def players_of(folder: Path, kind: str) -> dict[str, Any]:
    """The state of each player of a run. Raises CheckpointError where the folder holds no run with a generator.

    ``kind`` says what is wanted, e.g. "a mask or picture run".
    """
    state, _ = load_state(folder / CHECKPOINT)
    game: dict[str, Any] = state.get("game", {})
    if "G" not in game:
        raise CheckpointError(f"{folder}: holds no generator (players: {', '.join(game)})", kind)
    return game


def discriminator_of(game: dict[str, Any]) -> Weights | None:
    """The weights of D where the run has one."""
    return game["D"]["module"] if "D" in game else None


def load_part(module: nn.Module, state: Weights, prefix: str, folder: Path) -> None:
    """Loads what lies under a prefix. Raises CheckpointError for the weights of other networks."""
    own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    try:
        module.load_state_dict(own)
    except RuntimeError as error:
        raise CheckpointError(
            f"{folder}: {error}", "networks of the same model, size, options and condition",
            "set init_from to a run that was trained with them",
        ) from error  # fmt: skip


@dataclass(frozen=True)
class Axis:
    """Where a tensor has the network's input channels: the dimension, and how many numbers of it a channel takes."""

    dimension: int
    step: int


def input_axes(build: Callable[[int], nn.Module], channels: int) -> dict[str, Axis]:
    """The tensors of a network that read its input: those that grow when it has one channel more."""
    with torch.device("meta"):
        small, large = build(channels).state_dict(), build(channels + 1).state_dict()
    found = {}
    for name, tensor in small.items():
        grown = [b - a for a, b in zip(tensor.shape, large[name].shape, strict=True)]
        if any(grown):
            dimension = next(place for place, more in enumerate(grown) if more)
            found[name] = Axis(dimension, grown[dimension])
    return found


def reread(state: Weights, axes: dict[str, Axis], shares: Float[Tensor, "t s"]) -> Weights:
    """The weights of a network for S mask channels, the first of its inputs, for T: each new channel reads the mean
    that ``shares`` says of the old ones, and what follows them is read as before.

    A pixel of a one-hot part then does what the mean of the pixels of its sources did. The vector of spectral norm's
    power iteration is brought back to length 1.
    """
    return state | {name: _mixed(state[name], axis, shares) for name, axis in axes.items() if name in state}


def _mixed(tensor: Tensor, axis: Axis, shares: Float[Tensor, "t s"]) -> Tensor:
    first = tensor.movedim(axis.dimension, 0)
    others = first.shape[0] // axis.step - shares.shape[1]
    if others < 0:
        raise CheckpointError(
            f"a network that reads {first.shape[0] // axis.step} channels", f"at least {shares.shape[1]}",
            "start from a run whose weights and description belong together",
        )  # fmt: skip
    table = nn.functional.pad(shares, (0, others, 0, others)).to(first)
    table[len(shares) :, shares.shape[1] :] = torch.eye(others)
    mixed = torch.einsum("ts,s...->t...", table, first.reshape(table.shape[1], axis.step, *first.shape[1:]))
    whole = mixed.reshape(table.shape[0] * axis.step, *first.shape[1:]).movedim(0, axis.dimension)
    return nn.functional.normalize(whole, dim=0) if whole.dim() == 1 else whole.contiguous()
