"""What the pages share: templates that hold all they need in one file, and pictures inside it as data URIs."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from augkit.core.atomic_file import write_text
from augkit.core.parts import BACKGROUND, IGNORE, Mask, PartSchema
from augkit.data.crop import Photo

_QUALITY = 82
_IGNORED = 110
"""Opacity of what is ignored, of 255: white, but the photo shows through."""


def write_page(template: str, path: Path, **values: Any) -> Path:
    """Renders a template of this package into ``path``. Unknown names in it raise."""
    environment = Environment(
        loader=PackageLoader("augkit.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    text = environment.get_template(template).render(**values)
    write_text(path, text)
    return path


def jpeg_uri(photo: Photo) -> str:
    """(H, W, 3) photo -> a data URI at its own size: outlines and other sharp edges survive."""
    done, data = cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert done, "JPEG of a picture in memory"
    return _uri("image/jpeg", data.tobytes())


def photo_uri(photo: Photo, size: int) -> str:
    """(H, W, 3) photo -> a data URI of at most ``size`` pixels a side, as WebP: half of what JPEG takes."""
    buffer = io.BytesIO()
    side = min(size, photo.shape[0])
    small = np.asarray(cv2.resize(photo, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    Image.fromarray(small).save(buffer, "WEBP", quality=_QUALITY, method=4)
    return _uri("image/webp", buffer.getvalue())


def mask_uri(mask: Mask, schema: PartSchema, size: int) -> str:
    """(H, W) part ids -> a PNG in the schema's colours, clear where there is no part, of at most ``size`` pixels."""
    buffer = io.BytesIO()
    side = min(size, mask.shape[0])
    small = np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8)
    picture = Image.fromarray(small)
    picture.putpalette(schema.palette.reshape(-1).tolist())
    opacity = bytearray(b"\xff" * 256)
    opacity[BACKGROUND], opacity[IGNORE] = 0, _IGNORED
    picture.save(buffer, "PNG", optimize=True, transparency=bytes(opacity))
    return _uri("image/png", buffer.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64," + base64.b64encode(data).decode("ascii")
