"""augkit: balanced photo + part-mask pairs of cars, from two-stage GANs, as shards for segmentation training."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from augkit.shards.reader import ShardDataset

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(2**26))  # read once, when OpenCV is imported

__version__ = "0.1.0"
__all__ = ["ShardDataset", "__version__"]


def __getattr__(name: str) -> Any:
    """Imports the reader (and with it torch) only where it is asked for."""
    if name == "ShardDataset":
        from augkit.shards.reader import ShardDataset

        return ShardDataset
    raise AttributeError(f"module 'augkit' has no attribute {name!r}")
