"""SIFID: the Frechet distance between the places of two single pictures (Shaham et al. 2019, section 3.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from augkit.core.errors import DataError
from augkit.metrics.frechet import frechet_distance

FeatureMap = NDArray[Any] | Tensor


def single_image_distance(a: FeatureMap, b: FeatureMap) -> float:
    """Feature maps (C, H, W) of one picture each -> the Frechet distance over their H W places, C numbers a place.

    The paper takes Inception's maps before the second max-pool (192 channels), its code those before the first (64):
    name the layer beside the figure. Raises DataError for other shapes and for less than 2 places.
    """
    return frechet_distance(_places(a), _places(b))


def combined_distance(to_source: float, to_target: float) -> float:
    """Sp + St + |Sp - St| of a picture between two others: low only where it is near both (twice the larger)."""
    return to_source + to_target + abs(to_source - to_target)


def _places(feature_map: FeatureMap) -> NDArray[np.float64]:
    if isinstance(feature_map, Tensor):
        feature_map = feature_map.detach().cpu().double().numpy()
    if feature_map.ndim != 3:
        raise DataError(f"a feature map of shape {feature_map.shape}", "(C, H, W) of one picture")
    return np.asarray(feature_map, np.float64).reshape(len(feature_map), -1).T
