from __future__ import annotations

import torch

from augkit.core.pixels import levels, normalise, to_bytes


def test_the_ends_and_the_middle() -> None:
    assert normalise(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]
    assert normalise(torch.tensor(127.5)).item() == 0.0
    assert levels(torch.tensor([-1.0, 0.0, 1.0, 1.2])).tolist() == [0.0, 127.5, 255.0, 280.5]


def test_every_byte_comes_back() -> None:
    every = torch.arange(256, dtype=torch.uint8)
    assert normalise(every).dtype == torch.float32 and torch.equal(to_bytes(normalise(every)), every)


def test_numbers_become_the_nearest_bytes_and_are_cut_off() -> None:
    found = to_bytes(torch.tensor([-3.0, -1 + 0.4 / 127.5, -1 + 0.6 / 127.5, 2.0], dtype=torch.float64))
    assert found.dtype == torch.uint8 and found.tolist() == [0, 0, 1, 255]
