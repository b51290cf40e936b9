from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from augkit.core.parts import PartSchema
from augkit.core.workspace import Workspace
from augkit.data.audit.audit_check import Finding, Hit
from augkit.data.audit.overview import Overview
from augkit.data.audit.result import AuditResult
from augkit.data.catalogue import read_catalogue
from augkit.report.audit_page import THUMBNAIL, WORST, outlined, write_page
from augkit.report.chart import overview_chart


@pytest.fixture(scope="module")
def page(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> str:
    rows = read_catalogue(rendered_workspace.catalogue)
    hits = tuple(Hit(row.id, 1.0, "looks <odd> & more") for row in rows[: WORST + 6])
    findings = (
        Finding("border", "warning", "cars are cut", "leave them out", hits),
        Finding("files", "fatal", "<b>gone</b>", "import again", (Hit("no-such-pair", 1.0, "missing"),)),
        Finding("cells", "note", "nothing there", "import more"),
    )
    result = AuditResult("", len(rows), len(rows), ("border", "files", "cells", "ids"), findings)
    path = tmp_path_factory.mktemp("page") / "reports" / "audit.html"
    write_page(result, overview_of(rendered_workspace), rendered_workspace, path)
    assert [file.name for file in path.parent.iterdir()] == ["audit.html"]
    return path.read_text(encoding="utf-8")


def overview_of(workspace: Workspace) -> Overview:
    return Overview.of(read_catalogue(workspace.catalogue), PartSchema.load(workspace.schema))


class _Tags(HTMLParser):
    """Checks that tags close in order, and collects attributes that name other files."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        named = [value or "" for name, value in attributes if name in ("src", "href")]
        self.outside += [value for value in named if not value.startswith(("data:", "#"))]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_no_other_file(page: str) -> None:
    tags = _Tags()
    tags.feed(page)
    assert tags.open == [] and tags.outside == []
    assert page.startswith("<!doctype html>") and "url(" not in page and "@import" not in page
    assert "<th></th>" not in page  # axe: a head without a name
    assert "prefers-color-scheme: dark" in page and 'name="viewport"' in page


def test_the_worst_pairs_are_shown_as_pictures(page: str) -> None:
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', page)
    assert len(pictures) == WORST
    with Image.open(io.BytesIO(base64.b64decode(pictures[0]))) as picture:
        assert picture.size == (THUMBNAIL, THUMBNAIL)
    assert f"worst {WORST} of {WORST + 6}" in page
    assert "no-such-pair" in page and page.count('class="none"') == 1


def test_texts_are_escaped(page: str) -> None:
    assert "&lt;odd&gt; &amp; more" in page and "&lt;b&gt;gone&lt;/b&gt;" in page


def test_classes_parts_and_silent_checks_are_listed(page: str, rendered_workspace: Workspace) -> None:
    for part in overview_of(rendered_workspace).parts:
        assert part.name in page
    assert "front-left-5" in page and "Checks that found nothing" in page and "ids <span" in page


def test_a_page_without_findings_or_pairs(rendered_workspace: Workspace, tmp_path: Path) -> None:
    empty = Overview.of([], PartSchema.load(rendered_workspace.schema))
    text = write_page(AuditResult("", 0, 0, ("ids",), ()), empty, rendered_workspace, tmp_path / "p.html").read_text()
    assert "No check found anything" in text
    assert overview_chart(empty, tmp_path / "parts.png").stat().st_size > 0


def test_outlines_have_the_parts_colours_and_leave_the_rest() -> None:
    schema = PartSchema.from_names(["hood"])
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 1
    drawn = outlined(np.full((64, 64, 3), 9, np.uint8), mask, schema, 64)
    assert drawn[32, 32].tolist() == drawn[2, 2].tolist() == [9, 9, 9]
    assert drawn[16, 32].tolist() == list(schema.parts[0].colour)


def test_the_chart_of_parts_is_written(rendered_workspace: Workspace, tmp_path: Path) -> None:
    path = overview_chart(overview_of(rendered_workspace), tmp_path / "new" / "parts.png")
    picture = np.asarray(Image.open(path).convert("RGB"))
    colours = {tuple(colour) for colour in picture.reshape(-1, 3)[::7].tolist()}
    assert {(0x4C, 0x78, 0xA8), (0x9E, 0xCA, 0xE9), (0x8C, 0x9A, 0xA9)} <= colours  # train, val, parts
