"""Intersection over union."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.classification import MulticlassJaccardIndex

from augkit.core.parts import IGNORE
from augkit.metrics.overlap import iou, iou_where_it_is, overlap


def test_by_hand() -> None:
    read = np.array([[1, 1, 0], [2, 2, 1]])
    truth = np.array([[1, 0, 0], [2, 1, IGNORE]], np.uint8)
    counts = overlap(read, truth, 4)
    assert counts.tolist() == [[1, 2, 1], [1, 2, 2], [1, 1, 2], [0, 0, 0]]
    assert iou(counts) == pytest.approx([1 / 2, 1 / 3, 1 / 2, np.nan], nan_ok=True)


def test_a_part_that_is_not_there_has_no_figure() -> None:
    counts = overlap(np.array([[1, 2]]), np.array([[1, 1]], np.uint8), 3)
    assert iou(counts)[2] == 0 and np.isnan(iou_where_it_is(counts)[2])
    assert iou_where_it_is(counts)[1] == 0.5


@given(seed=st.integers(0, 999))
def test_equal_to_torchmetrics(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth, read = random.integers(0, 4, (9, 9)), random.integers(0, 4, (9, 9))
    truth[random.random((9, 9)) < 0.2] = IGNORE
    metric = MulticlassJaccardIndex(4, average="none", ignore_index=IGNORE, validate_args=False)
    metric.update(torch.from_numpy(read)[None], torch.from_numpy(truth)[None])
    ours = iou(overlap(read, truth.astype(np.uint8), 4))
    assert np.nan_to_num(ours) == pytest.approx(metric.compute().numpy(), abs=1e-6)
