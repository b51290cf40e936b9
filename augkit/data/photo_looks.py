"""What is kept of a photo to find those that resemble it without reading it again: 64 bytes.

The correlation of two 32x32 pictures u and v (``near_duplicates.correlation``) is that of unit vectors, so at least c
means |u - v| <= sqrt(2 - 2 c). The cosine transform keeps lengths: no part of it differs by more. A look is the 64
lowest frequencies of u in steps of 1/127, and ``look_search`` finds the pairs of looks within that distance, rounding
included; whoever asks compares the pictures of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from augkit.data.near_duplicates import thumb_spectrum

COEFFICIENTS = 64
STEPS = 127
Looks = NDArray[np.int8]

NO_LOOK = b"\0"
"""Of a photo without contrast, which resembles none."""


def look_of(small: NDArray[np.uint8]) -> bytes:
    """(32, 32) grey -> its look."""
    spectrum = thumb_spectrum(small)
    if spectrum is None:
        return NO_LOOK
    return np.rint(spectrum[_lowest()] * STEPS).astype(np.int8).tobytes()


@cache
def _lowest() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the lowest frequencies, without the mean."""
    rows, columns = np.mgrid[:32, :32]
    order = np.argsort((rows + columns).reshape(-1), kind="stable")[1 : COEFFICIENTS + 1]
    return rows.reshape(-1)[order], columns.reshape(-1)[order]


def looks_of(looks: Sequence[bytes]) -> tuple[Looks, NDArray[np.intp]]:
    """(N, 64) looks, and which of those given they are: without those of photos that resemble none."""
    lengths = np.fromiter(map(len, looks), np.intp, len(looks))
    places = np.flatnonzero(lengths == COEFFICIENTS)
    data = b"".join(looks if len(places) == len(looks) else [looks[place] for place in places.tolist()])
    return np.frombuffer(data, np.int8).reshape(-1, COEFFICIENTS), places
