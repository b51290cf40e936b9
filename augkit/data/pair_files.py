"""The files of a workspace's pairs, read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from augkit.core.decoding import decoded
from augkit.core.errors import DataError
from augkit.core.parts import Mask
from augkit.core.regular_file import PICTURE, read_regular
from augkit.core.workspace import Workspace
from augkit.data.crop import Photo, resize_mask

_ENDS = (b"\xff\xd9", b"IEND\xae\x42\x60\x82")  # of a whole JPEG, of a whole PNG


def read_photo(path: Path) -> Photo:
    """(H, W, 3) RGB. Raises DataError where the file is missing or no picture."""
    return np.ascontiguousarray(_decode(path, cv2.IMREAD_COLOR)[:, :, ::-1])


def read_mask(path: Path) -> Mask:
    """(H, W) part ids. Raises DataError where the file is missing or not 8-bit grey."""
    mask = _decode(path, cv2.IMREAD_UNCHANGED)
    if mask.ndim != 2 or mask.dtype != np.uint8:
        raise DataError(f"{path}: {mask.dtype} of shape {mask.shape}", "an 8-bit grey PNG of part ids")
    return mask


def read_silhouette(workspace: Workspace, id: str, size: int) -> Mask:
    """(size, size): 1 on the car, 0 beside it. Raises DataError where the pair's silhouette is missing or no mask."""
    path = require_silhouette(workspace, id)
    return resize_mask((read_mask(path) > 127).astype(np.uint8), size)


def require_silhouette(workspace: Workspace, id: str) -> Path:
    """The file of a pair's silhouette. Raises DataError where there is none."""
    path = workspace.silhouette(id)
    if not path.is_file():
        raise DataError(
            f"{path}: no such file, but this pair's background is to be replaced",
            "a silhouette of every pair whose background is replaced",
            "run `augkit silhouettes` (`--method grabcut` drops no pair), or leave backgrounds as they are (a preset "
            "without Background; image.background learnt)",
        )
    return path


def _decode(path: Path, flags: int) -> Photo:
    try:
        data = read_regular(path, PICTURE)
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror or error}", "a file of the workspace", "import the data again"
        ) from error
    whole = data.endswith(_ENDS)  # OpenCV decodes half a file and greys out the rest
    picture = decoded(data, flags) if whole else None
    if picture is None:
        raise DataError(f"{path}: not a readable picture", "a whole JPEG or PNG", "import the data again")
    return np.asarray(picture)
