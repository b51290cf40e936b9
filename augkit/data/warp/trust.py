"""How far a warp can be trusted, pixel by pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rigidity(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) in 0..1: 1 where a warp moves and turns, less where it stretches, squeezes or tears.

    ``places`` (H, W, 2) says where in the source each pixel comes from, x before y. With the singular values s1 >= s2
    of its Jacobian the rigidity is min(s2, 1) min(1 / s1, 1): what is drawn out to twice its width has 1 / 2, and so
    has what is squeezed to half.
    """
    (x_down, x_across), (y_down, y_across) = np.gradient(places[..., 0]), np.gradient(places[..., 1])
    same = np.hypot(x_across + y_down, y_across - x_down) / 2
    opposite = np.hypot(x_across - y_down, y_across + x_down) / 2
    largest, smallest = same + opposite, np.abs(same - opposite)
    return np.asarray(np.minimum(smallest, 1) / np.maximum(largest, 1), np.float32)
