"""The page in a real browser: what it says, what it asks for, and whether its tools work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from augkit.cli.report import written_settings
from augkit.core.workspace import Workspace
from augkit.report.page import write_report
from tests.report.browser import Page, chromium, find_chromium
from tests.report.workspaces import COPY, MADE, blind, make_workspace

PROGRAM = find_chromium()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium here: apt-get install chromium (.ci/run does)")
PHONE = 390


@pytest.fixture(scope="module")
def file(rendered_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = shutil.copytree(rendered_workspace.root, tmp_path_factory.mktemp("browser") / "workspace")
    with pytest.MonkeyPatch.context() as patch:
        blind(patch)
        return write_report(make_workspace(Workspace(root)), root / "reports" / "report.html", written_settings).path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    assert PROGRAM is not None
    with chromium(PROGRAM, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Page, file: Path) -> Page:
    browser.problems.clear()
    browser.requests.clear()
    browser.show(1200)
    browser.open(file)
    return browser


def shown(page: Page) -> list[str]:
    """Keys of the cards in the section of pairs that can be seen."""
    found: list[str] = page.ask(
        "[...document.querySelectorAll('#pairs .card')].filter(c => c.offsetParent !== null)"
        ".map(c => c.querySelector('figcaption code').textContent)"
    )
    return found


def choose(page: Page, name: str, value: str) -> None:
    page.ask(
        f"(e => {{ e.value = '{value}'; e.dispatchEvent(new Event('input', {{bubbles: true}})); }})"
        f"(document.getElementById('{name}'))"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1200])
def test_it_loads_without_a_complaint_or_a_request_and_fits_the_window(page: Page, width: int, scheme: str) -> None:
    page.show(width, scheme=scheme)
    page.open(Path(page.ask("decodeURIComponent(location.pathname)")))
    page.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.ask("document.documentElement.scrollWidth") <= width
    beyond = page.ask(
        "[...document.querySelectorAll('body *')].filter(e => e.offsetParent && !e.closest('.wide, pre, .dumbbell')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert beyond == []
    assert page.problems == [] and page.outside == []
    ground = page.ask("getComputedStyle(document.body).backgroundColor")
    assert (min(map(int, ground[4:-1].split(","))) > 200) == (scheme == "light")


def test_every_picture_is_there_and_says_what_it_is(page: Page) -> None:
    page.ask("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    broken = "(async () => { let n = 0; for (const i of document.images) await i.decode().catch(() => n++); return n })"
    assert page.ask("document.images.length") > 50 and page.ask(f"{broken}()") == 0
    assert page.ask("[...document.querySelectorAll('img:not(.mask)')].every(i => i.alt.length > 10)")
    assert page.ask("[...document.querySelectorAll('svg')].every(s => s.getAttribute('aria-label').length > 10)")


def test_the_class_filter_leaves_that_class_alone(page: Page) -> None:
    everything = shown(page)
    choose(page, "class", "back-left-3")
    assert len(shown(page)) == MADE["back-left-3"] < len(everything)
    assert all(key.startswith("back-left-3") for key in shown(page))
    assert page.ask("document.getElementById('count').textContent") == f"3 of {len(everything)} pairs shown"
    assert page.ask("[...document.querySelectorAll('#pairs .sheet')].filter(s => s.offsetParent).length") == 1
    choose(page, "class", "front-left-5")  # nothing generated: the gate has no card of it
    assert not page.ask("[...document.querySelectorAll('#gate .card')].some(c => c.offsetParent)")
    choose(page, "class", "")
    assert shown(page) == everything


def test_the_score_filter_keeps_its_range_and_the_order_is_that_of_the_score(page: Page) -> None:
    choose(page, "class", "back-left-3")
    choose(page, "score", "area_excess")  # 0, 0.1 and, of the copy, 0.7
    assert len(shown(page)) == 3
    choose(page, "order", "down")
    assert shown(page)[0] == COPY
    choose(page, "order", "up")
    assert shown(page)[-1] == COPY
    choose(page, "to", "50")
    assert len(shown(page)) == 2 and COPY not in shown(page)
    choose(page, "from", "10")
    assert len(shown(page)) == 1
    choose(page, "score", "")
    assert len(shown(page)) == 3 and page.ask("document.getElementById('from').disabled")


def test_the_slider_lays_the_mask_over_the_photo_by_keyboard(page: Page) -> None:
    opacity = "Number(getComputedStyle(document.querySelector('#pairs img.mask')).opacity)"
    page.ask("document.getElementById('overlay').focus()")
    page.press("Home")
    assert page.ask(opacity) == 0
    page.press("ArrowRight", 4)
    assert page.ask(opacity) == pytest.approx(0.2)
    assert page.ask("document.getElementById('overlay-value').textContent") == "20 %"
    page.press("End")
    assert page.ask(opacity) == 1


def test_texts_stand_out_from_their_ground(page: Page) -> None:
    """WCAG AA: 4.5 to 1, for every text that is seen, in both schemes."""
    script = (Path(__file__).parent / "contrast.js").read_text()
    for scheme in ("light", "dark"):
        page.show(1200, scheme=scheme)
        assert page.ask(script) == []
