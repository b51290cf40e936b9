"""What a frozen network made of the last photos: a training step shows it the same ones again, for another loss or in
another player's turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

Look = Callable[[Tensor], list[Tensor]]
"""A frozen network: the same photos give the same maps."""

KEPT = 2
"""Of a step: the real photos and the made ones."""


class Sight(NamedTuple):
    """Photos and their maps, with the graph from one to the other."""

    photos: Tensor
    maps: list[Tensor]
    arithmetic: torch.dtype

    def shows(self, photos: Tensor) -> bool:
        """Whether it is of these photos, as they would be seen now."""
        alike = photos.shape == self.photos.shape and photos.dtype == self.photos.dtype
        return alike and self.arithmetic == _arithmetic(photos) and torch.equal(photos, self.photos)


class Recall:
    """Looks at photos, or recalls what it saw. Only in training is anything kept, and on a CPU alone: there looking
    takes much longer than comparing.

    Photos that were cut off from what made them may be shown again with it: the gradient then takes the graph that was
    kept, which serves once.
    """

    def __init__(self) -> None:
        self._seen: deque[Sight] = deque(maxlen=KEPT)

    def __call__(self, look: Look, photos: Float[Tensor, "n 3 h w"]) -> list[Tensor]:
        """The maps of the photos."""
        if photos.device.type != "cpu" or torch.compiler.is_compiling():
            return look(photos)
        sight = next((sight for sight in self._seen if sight.shows(photos)), None)
        again = photos.requires_grad and torch.is_grad_enabled()
        if sight is None:
            return look(photos) if again or not torch.is_grad_enabled() else self._keep(look, photos)
        if not again:
            return [own.detach() for own in sight.maps]
        self._seen = deque((other for other in self._seen if other is not sight), KEPT)
        return list(_Recalled.apply(photos, look, sight))

    def __reduce__(self) -> tuple[type[Recall], tuple[()]]:
        """A copy, or what is saved, has seen nothing."""
        return Recall, ()

    def _keep(self, look: Look, photos: Tensor) -> list[Tensor]:
        start = photos.detach().requires_grad_()
        sight = Sight(start, look(start), _arithmetic(photos))
        self._seen.append(sight)
        return [own.detach() for own in sight.maps]


def _arithmetic(photos: Tensor) -> torch.dtype:
    return torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else photos.dtype


class _Recalled(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, photos: Tensor, look: Look, sight: Sight) -> tuple[Tensor, ...]:
        context.set_materialize_grads(False)
        context.save_for_backward(photos)
        context.look, context.sight = look, sight
        return tuple(own.detach() for own in sight.maps)

    @staticmethod
    def backward(context: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        (photos,), maps, start = context.saved_tensors, context.sight.maps, context.sight.photos
        twice = torch.is_grad_enabled()
        if twice:  # a gradient of the gradient is asked for: the photos themselves have to be looked at
            maps, start = context.look(photos), photos
        asked = [(own, grad) for own, grad in zip(maps, grads, strict=True) if grad is not None]
        if not asked:
            return None, None, None
        ends, slopes = zip(*asked, strict=True)
        found = torch.autograd.grad(ends, start, slopes, create_graph=twice)
        return found[0], None, None
