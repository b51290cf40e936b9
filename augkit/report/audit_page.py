"""The audit as one HTML file: findings with the worst pairs, and what the data consists of. Needs no other file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from augkit import __version__
from augkit.core.errors import DataError
from augkit.core.parts import Mask, PartSchema
from augkit.core.workspace import Workspace
from augkit.data.audit.audit_check import CHECKS, Finding, Hit
from augkit.data.audit.overview import Overview
from augkit.data.audit.result import AuditResult
from augkit.data.catalogue import CatalogueRow, read_catalogue
from augkit.data.crop import Photo
from augkit.data.pair_files import read_mask, read_photo
from augkit.report.markup import jpeg_uri
from augkit.report.markup import write_page as render

WORST = 24
THUMBNAIL = 192


@dataclass(frozen=True)
class FindingCard:
    """One pair on the page; ``picture`` is a data URI, or empty where the pair cannot be shown."""

    hit: Hit
    row: CatalogueRow | None
    picture: str


@dataclass(frozen=True)
class FindingSection:
    """One finding on the page."""

    finding: Finding
    about: str
    cards: tuple[FindingCard, ...]


def write_page(result: AuditResult, overview: Overview, workspace: Workspace, path: Path) -> Path:
    """Writes the page: a section a finding with its worst ``WORST`` pairs, photo under the mask's outlines."""
    images = _PairImages(workspace)
    sections = [_section(finding, images) for finding in result.findings]
    return render(
        "audit.html", path, result=result, overview=overview, sections=sections, worst=WORST, thumbnail=THUMBNAIL,
        version=__version__, clean=[CHECKS[name] for name in result.clean], name=workspace.name,
    )  # fmt: skip


def _section(finding: Finding, images: _PairImages) -> FindingSection:
    about = CHECKS[finding.check].about if finding.check in CHECKS else ""
    return FindingSection(finding, about, tuple(images.card(hit) for hit in finding.hits[:WORST]))


class _PairImages:
    """Cards of a workspace's pairs; a pair that several findings name is drawn once."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._pictures: dict[str, str] = {}

    @cached_property
    def rows(self) -> Mapping[str, CatalogueRow]:
        """By id."""
        return {row.id: row for row in read_catalogue(self.workspace.require_catalogue())}

    @cached_property
    def schema(self) -> PartSchema:
        """The workspace's parts."""
        return PartSchema.load(self.workspace.schema)

    def card(self, hit: Hit) -> FindingCard:
        """The pair of a hit; without a picture where its files cannot be shown."""
        if hit.id not in self._pictures:
            self._pictures[hit.id] = self._picture(hit.id)
        return FindingCard(hit, self.rows.get(hit.id), self._pictures[hit.id])

    def _picture(self, id: str) -> str:
        row = self.rows.get(id)
        if row is None or row.problem:
            return ""
        try:
            photo, mask = read_photo(self.workspace.photo(id)), read_mask(self.workspace.mask(id))
        except DataError:
            return ""
        return jpeg_uri(outlined(photo, mask, self.schema, THUMBNAIL))


def outlined(photo: Photo, mask: Mask, schema: PartSchema, size: int) -> Photo:
    """(H, W, 3) photo and its mask -> (size, size, 3): the photo with the outline of each part in its colour."""
    small = np.asarray(cv2.resize(photo, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
    ids = np.asarray(cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST), np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    edge = cv2.dilate(ids, kernel) != cv2.erode(ids, kernel)
    small[edge] = schema.palette[cv2.dilate(ids, kernel)][edge]  # white where the source photo ends
    return small
