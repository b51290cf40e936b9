"""Encoded photos, decoded the right way round; what their header says is checked before anything is decoded."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from augkit.core.decoding import MAX_PIXELS, decoded
from augkit.core.errors import AugkitError, DataError
from augkit.core.regular_file import IrregularFileError
from augkit.data.crop import Photo
from augkit.data.reading_way import Exif

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "TIFF")
"""Told by the content, whatever the file is called. Pillow knows more, and starts other programs for some of them."""

_ORIENTATION = 274  # EXIF tag
_UPRIGHT, _SIDEWAYS = (None, 1), (5, 6, 7, 8)
_JPEG_END = b"\xff\xd9"


def decode(data: bytes, shape: tuple[int, ...]) -> Photo:
    """Encoded photo -> (H, W, 3) RGB of the given (H, W). Raises DataError where it is damaged or of another shape.

    What is wrong with the size is told from the header, before anything is decoded.
    """
    with open_picture(data) as stored:
        return decode_opened(data, stored, shape)


def decode_opened(data: bytes, stored: Image.Image, shape: tuple[int, ...], exif: Exif | None = None) -> Photo:
    """``decode`` for a picture that was opened. ``exif`` says which way round; None takes the one of that shape."""
    if shape not in (shape_of(stored), shape_of(stored)[::-1]):
        require_shape(shape_of(stored), shape)
    with readable():
        plain = stored.getexif().get(_ORIENTATION) in _UPRIGHT
        photo = _quickly(data, stored) if plain else None
        if photo is None:
            stored.load()
            upright = stored if plain else ImageOps.exif_transpose(stored)
            lying = exif == "stored" or (exif is None and shape_of(stored) == shape != shape_of(upright))
            chosen = stored if lying else upright
            require_shape(shape_of(chosen), shape, exif)
            return _rgb(chosen)
    require_shape(photo.shape[:2], shape, exif)
    return photo


def on_its_side(picture: Image.Image) -> bool:
    """Whether a picture is to be turned by a quarter."""
    with readable():
        return picture.getexif().get(_ORIENTATION) in _SIDEWAYS


@contextmanager
def readable(what: str = "photo") -> Iterator[None]:
    """What decoders and parsers make of damage in the block is a DataError: they raise whatever they happen to hit."""
    try:
        yield
    except (AugkitError, IrregularFileError, FileNotFoundError):
        raise
    except UnidentifiedImageError as error:  # its own text holds an address in memory, or a path
        raise DataError(f"the {what} cannot be read: no picture of a known format") from error
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DataError(f"the {what} cannot be read: {reason or type(error).__name__}") from error


def open_picture(data: bytes, what: str = "photo") -> Image.Image:
    """An encoded picture whose header was read and whose pixels were not, for use in a ``with`` statement.

    Raises DataError for what is no picture, and for one of more than ``MAX_PIXELS``.
    """
    with readable(what), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a damaged tag that does not matter; sizes are looked at here
        try:
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
        except Image.DecompressionBombError as error:  # its own text names another limit
            found = str(error).partition(" exceeds")[0]
            raise DataError(f"the {what} is larger than the limit of {_LIMIT}: {found}") from error
    require_size(shape_of(picture), what)
    return picture


_LIMIT = f"{MAX_PIXELS} pixels (8192 x 8192)"


def require_size(shape: tuple[int, ...], what: str) -> None:
    """Raises DataError where a picture of this (H, W, ...) has more than ``MAX_PIXELS``."""
    if shape[0] * shape[1] > MAX_PIXELS:
        raise DataError(f"the {what} is {shape[1]}x{shape[0]} pixels, which is larger than the limit of {_LIMIT}")


def _quickly(data: bytes, stored: Image.Image) -> Photo | None:
    """What Pillow would decode, sooner; None where OpenCV might see it differently. OpenCV decodes half a JPEG and
    greys out the rest, so only files with an end are given to it."""
    if stored.format != "JPEG" or stored.mode != "RGB" or _JPEG_END not in data[-64:]:
        return None
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    photo = decoded(data, flags)
    return None if photo is None else np.asarray(photo, np.uint8)


def _rgb(image: Image.Image) -> Photo:
    if image.mode in ("F", "I") or image.mode.startswith("I;"):
        raise DataError(f"the photo has {image.mode} pixels; 8 bits a channel are expected")
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def shape_of(image: Image.Image) -> tuple[int, int]:
    """Height and width."""
    return image.height, image.width


def require_shape(photo: tuple[int, ...], mask: tuple[int, ...], exif: Exif | None = None) -> None:
    """Raises DataError where an (H, W) photo, lying as ``exif`` says, is not as large as its mask."""
    if photo != mask:
        lying = {None: "", "upright": " upright", "stored": " as stored"}[exif]
        raise DataError(
            f"the photo is {photo[1]}x{photo[0]} pixels{lying}, but its annotation is for {mask[1]}x{mask[0]}"
        )
