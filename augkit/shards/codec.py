"""Arrays to member bytes and back. OpenCV decodes (the fastest of OpenCV, Pillow and torchvision on one thread).

Colours are RGB everywhere; masks are 8-bit grey PNGs of part ids. The same array gives the same bytes with the same
versions of the image libraries.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray

from augkit.core.decoding import decoded
from augkit.core.errors import ShardError

Photo = NDArray[np.uint8]
Mask = NDArray[np.uint8]

_REMEDY = "make or import the pair again"
_JPEG_START = b"\xff\xd8"
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00IEND\xaeB`\x82"
# Part ids are labels: the predictors of PNG's filters make them longer and slower to decode.
_PNG_OPTIONS = (
    cv2.IMWRITE_PNG_COMPRESSION,
    6,
    cv2.IMWRITE_PNG_STRATEGY,
    cv2.IMWRITE_PNG_STRATEGY_DEFAULT,
    cv2.IMWRITE_PNG_FILTER,
    cv2.IMWRITE_PNG_FILTER_NONE,
)
# The other readers of a shard (webdataset, HF datasets) do not turn pictures by EXIF, so a pair must not be either.
_PHOTO_FLAGS = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION

REDUCED = {
    1: 0,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}
"""What makes OpenCV decode a photo smaller; of a JPEG it computes no more frequencies than the small one has. Named
after grey pictures, these flags are bits beside those of colour."""


def encode_photo(photo: Photo, quality: int = 95, lossless: bool = False) -> tuple[bytes, str]:
    """(H, W, 3) uint8 RGB -> its bytes and their extension: ``jpg`` (4:4:4, ``quality`` 1..100), or ``webp``."""
    _require(photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3 and photo.size > 0, "photo", photo)
    if lossless:
        return _lossless(photo), "webp"
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    done, data = cv2.imencode(".jpg", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), options)
    assert done
    return data.tobytes(), "jpg"


def encode_mask(mask: Mask) -> bytes:
    """(H, W) uint8 part ids -> an 8-bit grey PNG."""
    _require(mask.dtype == np.uint8 and mask.ndim == 2 and mask.size > 0, "mask", mask)
    done, data = cv2.imencode(".png", np.ascontiguousarray(mask), _PNG_OPTIONS)
    assert done
    return data.tobytes()


def decode_photo(data: bytes, reduce: int = 1) -> Photo:
    """JPEG, WebP or PNG bytes -> (H, W, 3) uint8 RGB, its sides divided by ``reduce`` (1, 2, 4 or 8; they are multiples
    of it). Raises ShardError where the bytes are cut short or no picture."""
    at_once = data.startswith(_JPEG_START)  # of other kinds OpenCV would drop pixels
    photo = decoded(data, _PHOTO_FLAGS | (REDUCED[reduce] if at_once else 0)) if _is_whole(data) else None
    if photo is None:
        raise ShardError(f"{len(data)} bytes that are no whole picture", "a JPEG, WebP or PNG photo", _REMEDY)
    if reduce > 1 and not at_once:
        size = photo.shape[1] // reduce, photo.shape[0] // reduce
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    return np.asarray(photo, np.uint8)


def decode_mask(data: bytes) -> Mask:
    """PNG bytes -> (H, W) uint8 part ids. Raises ShardError where they are no whole 8-bit grey PNG."""
    # Bytes 24 and 25 are bit depth and colour type: a palette or 16-bit PNG would be decoded to other numbers.
    plain = data.startswith(_PNG_START) and data[24:26] == b"\x08\x00" and data.endswith(_PNG_END)
    mask = decoded(data, cv2.IMREAD_UNCHANGED) if plain else None
    if mask is None or mask.ndim != 2:
        raise ShardError(f"{len(data)} bytes that are no whole mask", "an 8-bit grey PNG of part ids", _REMEDY)
    return np.asarray(mask, np.uint8)


def decode_mask_png(key: str, data: bytes) -> Mask | None:
    """A handler for webdataset that decodes ``*.mask.png`` to (H, W) part ids and leaves all else to the next handler.

    webdataset's own image handlers turn every PNG into RGB and take the first say, so this one comes before them::

        webdataset.WebDataset(urls, shardshuffle=False).decode(decode_mask_png, "pil").to_tuple("jpg", "mask.png")
    """
    return decode_mask(data) if key.lstrip(".") == "mask.png" else None


def _lossless(photo: Photo) -> bytes:
    from PIL import Image  # OpenCV offers only WebP's slowest method, forty times slower for a tenth fewer bytes

    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "WEBP", lossless=True, method=0, quality=0)
    return buffer.getvalue()


def _is_whole(data: bytes) -> bool:
    # Decoders differ in what they make of a file that is cut short: some fill the rest with grey.
    if data.startswith(_JPEG_START):
        return b"\xff\xd9" in data[-64:]  # end of image; some cameras pad behind it
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    return data.startswith(_PNG_START) and data.endswith(_PNG_END)


def _require(right: bool, what: str, array: NDArray[np.generic]) -> None:
    if not right:
        shape = "(H, W, 3)" if what == "photo" else "(H, W)"
        raise ShardError(f"a {what} of {array.dtype} {array.shape}", f"uint8 {shape}, not empty", "convert it first")
