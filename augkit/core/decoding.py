"""Encoded pictures, decoded by OpenCV: the one place that asks it to."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 2**26
"""The largest photo or mask that is read: 8192 x 8192 pixels, 200 MB as RGB. A file of a few kilobytes may claim more
than any machine has. ``augkit`` tells OpenCV as it is imported, before OpenCV is."""


def decoded(data: bytes, flags: int) -> NDArray[Any] | None:
    """The picture in the bytes, as ``cv2.imdecode`` gives it; None for what is no picture, or too large a one."""
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except (cv2.error, MemoryError):
        return None
