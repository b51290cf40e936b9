"""Exemplars, whose appearance generated photos take over: a bank of training pairs, and what a seed draws from it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from augkit.core.classes import ALL_CLASSES, CarClass
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema
from augkit.core.seeds import derive
from augkit.data.foreground import from_parts
from augkit.data.pair import Pair
from augkit.data.warp.part_warp import WarpedPhoto, car_colour, part_warp
from augkit.data.whole_car import body_of, put_body
from augkit.gan.generated import Exemplar
from augkit.shards.codec import decode_mask, decode_photo, encode_mask, encode_photo

SIDE = 32
"""Of the small masks by which likeness is told."""


class ExemplarBank(nn.Module):
    """Training pairs and their mirror images, encoded (JPEG at quality 95, PNG) as one tensor of bytes.

    A draw is one of the ``CHOICE`` pairs most like the mask: of its class, or of its orientation where the class has
    fewer than ``ENOUGH``, or any where there is none. Those that show all parts of the mask come first, since a missing
    part has no appearance to take over; among them those whose parts lie where the mask's do.
    """

    ENOUGH, CHOICE = 20, 12

    data: Tensor
    ends: Tensor
    small: Tensor
    classes: Tensor

    def __init__(self, state: dict[str, Tensor], names: Sequence[str], schema: PartSchema) -> None:
        super().__init__()
        self.names, self.schema, self.body = list(names), schema, body_of(schema)
        self._views: dict[CarClass, tuple[list[int], NDArray[np.uint8], NDArray[np.bool_]]] = {}
        for name in ("data", "ends", "small", "classes"):
            self.register_buffer(name, state[name])

    @classmethod
    def of(cls, items: Sequence[Pair], names: Sequence[str], schema: PartSchema) -> ExemplarBank:
        """The bank of these pairs."""
        blobs = [blob for item in items for blob in (encode_photo(item.photo)[0], encode_mask(item.mask))]
        state = {
            "data": torch.frombuffer(bytearray(b"".join(blobs)), dtype=torch.uint8),
            "ends": torch.tensor([len(blob) for blob in blobs]).cumsum(0),
            "small": torch.from_numpy(np.stack([_small(item.mask) for item in items])),
            "classes": torch.tensor([item.car_class.number for item in items]),
        }
        return cls(state, names, schema)

    def with_more(self, items: Sequence[Pair], names: Sequence[str]) -> ExemplarBank:
        """These pairs and more, of the same size."""
        more = ExemplarBank.of([self.whole(item) for item in items], names, self.schema)
        state = {name: torch.cat([getattr(self, name), getattr(more, name)]) for name in ("data", "small", "classes")}
        state["ends"] = torch.cat([self.ends, more.ends + self.ends[-1]])
        return ExemplarBank(state, [*self.names, *more.names], self.schema)

    def whole(self, pair: Pair) -> Pair:
        """A pair from elsewhere with the body that its colours show (GrabCut), where the bank's have one."""
        if self.body is None:
            return pair
        return replace(pair, mask=put_body(pair.mask, from_parts(pair.photo, pair.mask), self.body))

    def __len__(self) -> int:
        return len(self.names)

    def draw(self, mask: Mask, car_class: CarClass, seed: int) -> Exemplar:
        """The exemplar of a seed for a mask (S, S)."""
        fitting = self.like(mask, car_class)
        pick = torch.randint(len(fitting), (), generator=torch.Generator().manual_seed(derive(seed, "exemplar")))
        return self.at(fitting[int(pick)])

    def like(self, mask: Mask, car_class: CarClass, without: Collection[int] = ()) -> list[int]:
        """Places of the ``CHOICE`` pairs most like the mask, the most alike first; see ``at``. Neither the pairs
        ``without`` nor their mirror images are among them."""
        if car_class not in self._views:
            self._views[car_class] = self._views_of(car_class)
        (pool, views, shows), wanted = self._views[car_class], _small(mask)
        lacking = (~shows[:, np.setdiff1d(wanted, [BACKGROUND, IGNORE])]).sum(1)
        distance = _distance(views, wanted)
        best = (pool[place] for place in np.lexsort((distance, lacking)))
        return list(islice((place for place in best if place % len(self) not in without), self.CHOICE))

    def warp(self, exemplar: Exemplar, mask: Mask, car_class: CarClass, without: Collection[int] = ()) -> WarpedPhoto:
        """The exemplar warped onto a mask (S, S).

        Parts that it does not show come from the pairs most like the mask, from cars of a similar paint first; none
        from the pairs ``without``.
        """
        warped = part_warp(exemplar.pair.photo, exemplar.pair.mask, mask, self.body)
        if warped.valid.all():
            return warped
        wanted = np.where(mask == IGNORE, BACKGROUND, mask)
        alike = [self.at(place).pair for place in self.like(mask, car_class, without)]
        others = [pair for pair in alike if np.isin(wanted[~warped.valid], pair.mask).any()]
        paint = car_colour(exemplar.pair.photo, exemplar.pair.mask)
        others.sort(key=lambda pair: float(np.abs(car_colour(pair.photo, pair.mask) - paint).sum()))
        for other in others:
            if np.isin(wanted[~warped.valid], other.mask).any():  # else it has nothing to give
                warped = warped.filled(part_warp(other.photo, other.mask, mask, self.body))
        return warped

    def at(self, place: int) -> Exemplar:
        """The pair at a place; the mirror images follow the pairs."""
        row, mirrored = place % len(self), place >= len(self)
        begin, middle, end = (int(self.ends[2 * row + n - 1]) if 2 * row + n else 0 for n in range(3))
        photo = decode_photo(self.data[begin:middle].numpy().tobytes())
        mask = decode_mask(self.data[middle:end].numpy().tobytes())
        pair = Pair(photo, mask, ALL_CLASSES[int(self.classes[row])])
        return Exemplar(pair.flip(self.schema) if mirrored else pair, self.names[row], mirrored)

    def _pool(self, car_class: CarClass) -> list[int]:
        """Places of pairs of the class, or of its view, or all."""
        shown = [ALL_CLASSES[number] for number in self.classes.tolist()]
        shown += [own.mirror for own in shown]
        own = [place for place, c in enumerate(shown) if c == car_class]
        if len(own) >= self.ENOUGH:
            return own
        view = [place for place, c in enumerate(shown) if c.orientation == car_class.orientation]
        return view or list(range(len(shown)))

    def _views_of(self, car_class: CarClass) -> tuple[list[int], NDArray[np.uint8], NDArray[np.bool_]]:
        """The pool's places, their small masks (M, s, s), and which ids each shows (M, 256)."""
        pool = self._pool(car_class)
        views = np.stack([self._view(place) for place in pool])
        shows = np.zeros((len(pool), 256), np.bool_)
        shows[np.arange(len(pool))[:, None], views.reshape(len(pool), -1)] = True
        return pool, views, shows

    def _view(self, place: int) -> Mask:
        small = self.small[place % len(self)].numpy()
        return small if place < len(self) else self.schema.flip(small)


def _small(mask: Mask) -> Mask:
    return np.asarray(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST), np.uint8)


def _distance(views: NDArray[np.uint8], wanted: Mask) -> NDArray[np.float64]:
    """(M, s, s) against (s, s) -> (M,): the share of places with other parts, what is ignored left out."""
    seen = (views != IGNORE) & (wanted != IGNORE)
    other: Any = (views != wanted) & seen
    return np.asarray(other.sum((1, 2)) / np.maximum(seen.sum((1, 2)), 1))
