"""What a format is handed, and what it does with it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import cv2
import numpy as np

from augkit.core.atomic_file import sync_files, write_unseen
from augkit.core.decoding import decoded
from augkit.core.parts import Mask, PartSchema
from augkit.core.section import Section

SPLITS = ("train", "val", "test")

Record: TypeAlias = dict[str, Any]
"""What a format writes down of a pair, as plain data, for the files that list them all."""


@dataclass(frozen=True)
class ExportItem:
    """One pair: the encoded photo, the mask as a grey 8-bit PNG of part ids, and what is known of it."""

    key: str
    split: str
    source: str
    class_name: str
    photo: bytes
    extension: str
    mask_png: bytes

    @cached_property
    def ids(self) -> Mask:
        """(H, W) part ids."""
        return np.asarray(decoded(self.mask_png, cv2.IMREAD_UNCHANGED), np.uint8)

    @property
    def facts(self) -> Record:
        """What lists say of every pair."""
        height, width = self.ids.shape
        return {
            "key": self.key, "file": f"{self.key}.{self.extension}", "width": width, "height": height,
            "source": self.source, "class": self.class_name,
        }  # fmt: skip


@dataclass(frozen=True)
class ExportHeading:
    """What all pairs have in common: the parts, the licence (the Hub's word for it), a title, and what wrote them."""

    schema: PartSchema
    license: str
    title: str
    version: str


class ExportPlace:
    """The folder that an export is built in. Names are relative, with ``/`` between folders."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._unsynced: list[Path] = []

    def path(self, name: str) -> Path:
        """Where a file is to be, for those who write it with an atomic writer."""
        return self.root / name

    def put(self, name: str, data: bytes) -> None:
        """Writes a file; it is on disk for good after ``sync``."""
        write_unseen(self.path(name), data)
        self._unsynced.append(self.path(name))

    def sync(self) -> None:
        """What was put is on disk afterwards."""
        sync_files(self._unsynced)
        self._unsynced.clear()


class Records(Iterable[Record]):
    """What was written down of the pairs of each split; may be gone through several times."""

    @abstractmethod
    def of(self, split: str) -> Iterator[Record]:
        """The records of one split, in the order of the pairs."""

    @property
    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Pairs by split, of those that have any."""

    def __iter__(self) -> Iterator[Record]:
        for split in self.counts:
            yield from self.of(split)


class ExportFormat(Section):
    """One format; its fields are its settings."""

    about: ClassVar[str]
    """Who reads it, in a line."""
    at_once: ClassVar[int] = 32
    """Pairs of one batch: what an interrupt costs at most."""

    @abstractmethod
    def write(self, batch: Iterable[ExportItem], name: str, heading: ExportHeading, place: ExportPlace) -> list[Record]:
        """Writes a batch of pairs of one split, called ``name`` (``train-00000``); the same batch gives the same files.

        Returns a record of each pair.
        """

    @abstractmethod
    def finish(self, records: Records, heading: ExportHeading, place: ExportPlace) -> None:
        """Writes the files that tell of all pairs."""
