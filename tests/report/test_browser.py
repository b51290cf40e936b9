"""The page in a real browser: what it says, what it asks for, and whether its tools work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from augkit.cli.report import written_settings
from augkit.core.workspace import Workspace
from augkit.report.page import write_report
from tests.report.browser import Page, chromium, find_axe, find_chromium
from tests.report.workspaces import COPY, EXEMPLAR, MADE, blind, make_workspace

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
    assert page.ask("[...document.querySelectorAll('.stack img:not(.mask)')].every(i => i.alt.length > 10)")
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
    assert page.ask(opacity) == 0  # at first sight the photo alone
    page.ask("document.getElementById('overlay').focus()")
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


ZOOM = "document.getElementById('zoom')"
LARGE = "[...document.querySelectorAll('#zoom-stage figcaption')].map(c => c.querySelector('code').textContent)"


def card(key: str) -> str:
    return f"[...document.querySelectorAll('#pairs .card')].find(c => c.querySelector('code').textContent === '{key}')"


def test_a_thumbnail_opens_large_and_the_keys_go_on(page: Page) -> None:
    order = shown(page)
    page.ask(f"{card(COPY)}.querySelector('.open').focus()")
    page.press("Enter")
    assert page.ask(f"{ZOOM}.open") and page.ask(LARGE) == [COPY]
    assert page.ask("Number(getComputedStyle(document.querySelector('#zoom-stage img.mask')).opacity)") == 0
    page.press("m")
    assert page.ask("Number(getComputedStyle(document.querySelector('#zoom-stage img.mask')).opacity)") == 0.6
    page.press("ArrowRight")
    assert page.ask(LARGE) == [EXEMPLAR]  # the pictures beside it come first
    page.press("ArrowLeft", 2)
    place = order.index(COPY) or page.ask("[...document.querySelectorAll('.card')].filter(c => c.offsetParent).length")
    assert page.ask("document.getElementById('zoom-count').textContent").startswith(f"{place} of")
    page.press("Escape")
    assert not page.ask(f"{ZOOM}.open")
    assert page.ask(f"document.activeElement === {card(COPY)}.querySelector('.open')")


def test_a_pair_stands_beside_its_exemplar_and_its_nearest_real_pair(page: Page) -> None:
    page.ask(f"{card(COPY)}.querySelector('.compare').click()")
    assert page.ask(LARGE) == [COPY, EXEMPLAR, EXEMPLAR]
    roles = page.ask("[...document.querySelectorAll('#zoom-stage b')].map(b => b.textContent)")
    assert roles == ["generated", "real, by both ⇄", "exemplar"]
    tops = page.ask("[...document.querySelectorAll('#zoom-stage figure')].map(f => f.getBoundingClientRect().top)")
    assert len(set(tops)) == 1
    assert "nearer to a real pair" in page.ask("document.getElementById('zoom-facts').textContent")
    page.press("s")
    assert page.ask(LARGE) == [COPY]


def test_a_finger_goes_on_too(page: Page) -> None:
    page.show(PHONE, 800)
    page.ask(f"{card(COPY)}.querySelector('.open').click()")
    page.touch((300, 300), (200, 305), (100, 310))
    assert page.ask(LARGE) == [EXEMPLAR]
    page.touch((100, 300), (300, 300))
    assert page.ask(LARGE) == [COPY]
    assert page.ask("document.getElementById('zoom').scrollWidth") <= PHONE


def test_what_is_marked_is_saved_as_a_list_of_ids(page: Page) -> None:
    assert page.ask("document.getElementById('marks').hidden")
    page.ask(f"{card(COPY)}.querySelector('.mark').click()")
    page.ask(f"{card(COPY)}.querySelector('.compare').click()")
    assert page.ask("document.querySelector('#zoom-stage .mark').checked")
    page.ask("document.querySelectorAll('#zoom-stage .mark')[1].click()")
    link = "document.getElementById('marks-{}')"
    saved = f"(n => [n.download, decodeURIComponent(n.href.split(',')[1]), n.hidden])({link})"
    assert page.ask(saved.format("real")) == ["exclude.txt", EXEMPLAR + "\n", False]
    assert page.ask(saved.format("made")) == ["exclude-generated.txt", COPY + "\n", False]
    page.press("x")  # the pair itself, again
    assert not page.ask(f"{card(COPY)}.querySelector('.mark').checked")
    assert page.ask("document.getElementById('marks-made').hidden")


def test_the_map_tells_points_by_pointer_and_by_keys(page: Page) -> None:
    points = page.ask("JSON.parse(document.getElementById('map-data').textContent).map(p => p.slice(0, 5))")
    assert {kind for _, _, kind, _, _ in points} == {"real", "held-out", "generated"}
    page.ask("document.getElementById('map-points').focus()")
    page.press("ArrowRight")
    first = page.ask("document.getElementById('map-text').textContent")
    page.press("ArrowRight")
    assert first and page.ask("document.getElementById('map-text').textContent") != first
    page.press("Enter")
    assert page.ask(f"{ZOOM}.open") and len(page.ask(LARGE)) == 1
    page.press("Escape")
    x, y, kind, key, name = points[-1]
    page.ask(
        "(c => { const b = c.getBoundingClientRect(), s = b.width / 640; c.dispatchEvent(new PointerEvent("
        f"'pointermove', {{clientX: b.left + {x} * s, clientY: b.top + {y} * s}})); }})"
        "(document.getElementById('map-points'))"
    )
    told = page.ask("document.getElementById('map-text').textContent")
    assert not page.ask("document.getElementById('map-tip').hidden") and told == f"{kind}: {name}, {key}"


def test_a_class_that_is_chosen_stands_out_on_the_map(page: Page) -> None:
    faint = "[...new Set([...document.querySelectorAll('#map-points .faint')].map(m => m.dataset.class))]"
    others = "[...new Set([...document.querySelectorAll('#map-points [data-class]')].map(m => m.dataset.class))]"
    page.ask("document.getElementById('class').value = 'back-left-3'")
    page.ask("document.getElementById('class').dispatchEvent(new Event('input'))")
    assert page.ask(faint) == [name for name in page.ask(others) if name != "back-left-3"] != []


@pytest.mark.skipif(find_axe() is None, reason="no axe-core here: npm install --no-save axe-core (.ci/run does)")
def test_axe_finds_no_violation(page: Page) -> None:
    script = find_axe()
    assert script is not None
    page.ask(script.read_text() + ";0")
    violations = "axe.run({}).then(r => r.violations.map(v => [v.id, v.nodes[0].html.slice(0, 120)]))"
    page.ask(
        "document.querySelectorAll('details').forEach(d => d.open = true), document.querySelector('.mark').click()"
    )
    assert page.ask(violations.format("document")) == []
    page.show(PHONE, scheme="dark")
    page.ask("document.querySelector('.compare').click()")
    assert page.ask(violations.format("'#zoom'")) == []
    page.ask("document.querySelectorAll('#zoom img').forEach(i => i.removeAttribute('alt'))")
    assert [id for id, _ in page.ask(violations.format("'#zoom'"))] == ["image-alt"]  # the test of the test
