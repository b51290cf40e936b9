"""Seeds: every random choice is a function of the run's seed and the path of names that leads to the choice."""

from __future__ import annotations

import hashlib


def derive(seed: int, *path: str | int) -> int:
    """A 63-bit seed for the choice at ``path``, e.g. ``derive(7, "mask", "front-left-5", 12)``.

    Independent of the process, the platform and the order in which seeds are asked for (BLAKE2b of the path).
    """
    text = "\x1f".join([str(seed), *map(str, path)])
    return int.from_bytes(hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest(), "big") >> 1
