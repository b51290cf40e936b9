"""What a frozen network saw is recalled, with its gradient."""

from __future__ import annotations

import copy
import gc
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from augkit.models.lite0 import Lite0Features
from augkit.models.recall import Recall


class Eye:
    """A frozen network that counts how often it looks."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, photos: Tensor) -> list[Tensor]:
        self.looks += 1
        return [photos.square(), photos.sin(), photos.exp()]


@pytest.fixture
def photos() -> Tensor:
    return torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def test_the_same_photos_are_looked_at_once(photos: Tensor) -> None:
    eye, recall = Eye(), Recall()
    first = recall(eye, photos)
    with torch.no_grad():
        again = recall(eye, photos.clone())
    assert eye.looks == 1 and all(torch.equal(*maps) for maps in zip(first, again, strict=True))
    assert not any(own.requires_grad for own in (*first, *again))
    recall(eye, photos + 1)
    recall(eye, photos.double())
    with torch.autocast("cpu", torch.bfloat16):
        recall(eye, photos)
    assert eye.looks == 4
    recall(eye, photos)
    assert eye.looks == 5  # only the last two are kept


def test_photos_shown_again_with_what_made_them_get_the_gradient_of_a_look(photos: Tensor) -> None:
    eye, recall = Eye(), Recall()
    recall(eye, photos)
    shown = photos.clone().requires_grad_()
    maps = recall(eye, shown)
    assert eye.looks == 1
    loss = maps[0].sum() + 3 * maps[2].sum()  # the second is not asked for
    loss.backward()
    torch.testing.assert_close(shown.grad, 2 * photos + 3 * photos.exp())
    recall(eye, photos.clone().requires_grad_())  # the graph served once
    assert eye.looks == 2


def test_a_gradient_of_the_gradient_looks_again(photos: Tensor) -> None:
    eye, recall = Eye(), Recall()
    recall(eye, photos)
    shown = photos.clone().requires_grad_()
    (slope,) = torch.autograd.grad(recall(eye, shown)[2].sum(), shown, create_graph=True)
    (curve,) = torch.autograd.grad(slope.sum(), shown)
    torch.testing.assert_close(curve, photos.exp())


def test_nothing_is_kept_where_nothing_is_trained(photos: Tensor) -> None:
    eye, recall = Eye(), Recall()
    for _ in range(2):
        with torch.no_grad():
            recall(eye, photos)
    assert eye.looks == 2
    recall(eye, photos)
    assert len(recall._seen) == 1 and not copy.deepcopy(recall)._seen


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The sizes of the batches that any Lite0 looked at."""
    gc.collect()  # copies of other tests, and what they saw
    found: list[int] = []
    look = Lite0Features._look
    monkeypatch.setattr(Lite0Features, "_look", lambda own, photos: found.append(len(photos)) or look(own, photos))
    yield found


def test_copies_of_lite0_share_what_they_saw_while_their_weights_are_the_same(looks: list[int], photos: Tensor) -> None:
    one, other = Lite0Features(), Lite0Features()
    photos = photos.repeat(1, 1, 8, 8).clamp(-1, 1)
    one(photos)
    other.load_state_dict(one.state_dict())
    assert torch.equal(other(photos)[0], one(photos)[0]) and looks == [2]
    changed = {name: own * 2 for name, own in one.state_dict().items()}
    other.load_state_dict(changed)
    assert not torch.equal(other(photos)[0], one(photos)[0]) and looks == [2, 2]


def test_lite0_moved_or_cast_is_folded_afresh(photos: Tensor) -> None:
    features = Lite0Features()
    names, photos = list(features.state_dict()), photos.repeat(1, 1, 8, 8)
    exact = features(photos)
    for own, other in zip(features.double()(photos.double()), exact, strict=True):
        assert own.dtype == torch.double
        torch.testing.assert_close(own.float(), other, rtol=1e-3, atol=1e-3)
    assert list(features.state_dict()) == names and not any(own.requires_grad for own in features.parameters())
