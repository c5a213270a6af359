"""A page in a browser: axe finds nothing, no width makes the page itself scroll, and paper cuts nothing."""

from dataclasses import replace

import pytest
import sympy
from browsing import console, needs_browser, show, violations

from bimt_analyze.fleet import Fleet
from bimt_analyze.fleet._member import Failure, Member

pytestmark = needs_browser
TOO_WIDE = """
const edge = document.documentElement.clientWidth;
return [...document.querySelectorAll("body *")].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width && box.right > edge + 1 && !one.closest(".scroll *, .scroll, .skip, .unseen");
}).map(one => one.outerHTML.slice(0, 120));
"""
CUT = """
return [...document.querySelectorAll(".scroll")].filter(one => one.scrollWidth > one.clientWidth + 1)
  .map(one => one.getAttribute("aria-label") + " " + one.className);
"""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, report, audited):
    """The addresses of a report, of one with a long formula, of an audit and of the index of a fleet."""
    folder = tmp_path_factory.mktemp("pages")
    long = "damaged: expected a file of tensors, got something else; hint: save it anew " * 3
    names = ("net", "n" * 120, "модель & <b>")
    Fleet(tuple(Member(name, "a.pt", None, Failure("refused", long), 0.1) for name in names)).save(folder)
    report.save(html=folder / "report.html")
    x1, x2 = sympy.symbols("x1 x2", real=True)
    wide = sympy.tanh(sum(1.2345 * x1**k * x2 ** (12 - k) for k in range(12)))
    formulas = {**report.formulas, "y1": replace(report.formulas["y1"], expression=wide)}
    replace(report, formulas=formulas).save(html=folder / "long.html")
    audited.save(html=folder / "audit.html")
    return {path.stem: path.as_uri() for path in folder.glob("*.html")}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["report", "audit", "index"])
def test_axe_finds_nothing(browser, addresses, page, scheme):
    show(browser, addresses[page], width=375 if scheme == "dark" else 1280, scheme=scheme)
    browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert violations(browser) == []
    assert console(browser) == []


@pytest.mark.parametrize("page", ["report", "long", "audit", "index"])
def test_a_narrow_page_does_not_scroll_sideways(browser, addresses, page):
    for width in (375, 800):
        show(browser, addresses[page], width=width)
        assert browser.execute_script(TOO_WIDE) == []
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_long_name_leaves_room_for_the_other_columns(browser, addresses):
    show(browser, addresses["index"])
    assert browser.execute_script(CUT) == []
    show(browser, addresses["report"], width=375)
    browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    widths = "return [...document.querySelectorAll('th > code')].map(one => one.parentElement.clientWidth)"
    assert all(width >= 240 for width in browser.execute_script(widths))


@pytest.mark.parametrize("page", ["report", "long", "audit", "index"])
def test_paper_cuts_nothing(browser, addresses, page):
    show(browser, addresses[page], width=680, media="print", scheme="dark")
    assert browser.execute_script(CUT) == []
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
