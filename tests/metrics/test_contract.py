"""What every registered metric must do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from augkit.core.errors import DataError, RegistryError
from augkit.metrics import METRICS
from augkit.metrics.masks import part_adjacency, part_components, part_shares

NAMES = list(METRICS)


def tables(seed: int, shift: float, count: int = 20) -> dict[str, NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    masks = (random.random((count, 8, 8)) < 0.3 + shift / 10).astype(np.uint8)
    features = random.normal(shift, 1, (count, 6))
    return {
        "features": features,
        "shares": part_shares(masks, 3),
        "adjacency": part_adjacency(masks, 3),
        "components": part_components(masks, 3),
    }


def test_an_unknown_name_is_told_the_known_ones() -> None:
    with pytest.raises(RegistryError, match="frechet"):
        METRICS["fid"]


@pytest.mark.parametrize("name", NAMES)
def test_a_finite_number_the_same_each_time(name: str) -> None:
    metric = METRICS[name]
    real, made = tables(0, 0)[metric.reads], tables(1, 1)[metric.reads]
    before = real.copy(), made.copy()
    value = metric.compare(real, made)
    assert isinstance(value, float) and np.isfinite(value)
    assert metric.compare(real, made) == value
    assert (real == before[0]).all() and (made == before[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_pictures_further_away_are_never_better(name: str) -> None:
    metric = METRICS[name]
    near, far = (metric.compare(tables(0, 0)[metric.reads], tables(1, shift)[metric.reads]) for shift in (0, 6))
    assert near <= far if metric.lower_is_better else near >= far


@pytest.mark.parametrize("name", NAMES)
def test_the_fewest_are_enough_and_one_less_is_not(name: str) -> None:
    metric = METRICS[name]
    first, second = (tables(seed, 0, max(1, metric.fewest))[metric.reads] for seed in (0, 1))
    assert np.isfinite(metric.compare(first, second))
    if metric.fewest > 1:
        with pytest.raises(DataError, match="at least"):
            metric.compare(first[1:], second)


@pytest.mark.parametrize("name", [n for n in NAMES if METRICS[n].reads == "features"])
def test_features_that_are_not_finite(name: str) -> None:
    features = tables(0, 0)["features"]
    with pytest.raises(DataError, match="not finite"):
        METRICS[name].compare(features, features * np.inf)
