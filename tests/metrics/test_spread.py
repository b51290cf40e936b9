"""How different the pictures of a set are."""

from __future__ import annotations

import numpy as np
import pytest

from augkit.core.errors import DataError
from augkit.metrics.spread import spread


def test_it_is_the_mean_distance_of_all_pairs() -> None:
    assert spread(np.array([[0.0, 0], [3, 4], [0, 8]])) == pytest.approx((5 + 8 + 5) / 3)
    assert spread(np.ones((4, 2))) == 0


def test_one_picture_has_no_spread() -> None:
    with pytest.raises(DataError, match="1 pictures"):
        spread(np.ones((1, 2)))
