"""Pages of every kind of network in a browser: pictures are whole, their words apart, and everyone can read them."""

import os

import numpy as np
import pytest
from browsing import console, needs_browser, set_width, show, violations
from kinds import KINDS

from bimt_analyze._cli import main
from bimt_analyze._jobs import Outcome
from bimt_analyze.fleet import Fleet
from bimt_analyze.fleet._member import Failure, Member

pytestmark = needs_browser

# axe takes seconds a page: it reads three of the kinds, and all of them in `make site`.
WHOLE = "BIMT_WHOLE_SITE" in os.environ
READ = ("formula", "images", "tokens")

# Of each picture: its words, its shape, which of its texts are cut, and which run into each other.
PICTURES = """
const name = svg => `${(svg.getAttribute("aria-label") || "").slice(0, 50)}: `;
const apart = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) < 1
  || Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) < 2;
const inside = (a, frame) => a.left > frame.left - 1 && a.right < frame.right + 1
  && a.top > frame.top - 1 && a.bottom < frame.bottom + 1;
const found = [];
for (const svg of document.querySelectorAll("svg")) {
  const {width, height} = svg.viewBox.baseVal;
  if (svg.getAttribute("role") !== "img" || !svg.getAttribute("aria-label")) found.push("a picture without words");
  if (Math.max(width / height, height / width) > 4 || Math.max(width, height) > 1300)
    found.push(`${name(svg)}${width} x ${height}`);
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].filter(one => one.textContent.trim())
    .map(one => [one.textContent, one.getBoundingClientRect()]);
  texts.forEach(([text, box], place) => {
    if (!inside(box, frame)) found.push(`${name(svg)}"${text}" is cut`);
    for (const [other, its] of texts.slice(0, place))
      if (!apart(box, its)) found.push(`${name(svg)}"${other}" runs into "${text}"`);
  });
}
return found;
"""
WIDE = "return document.documentElement.scrollWidth > 375 ? ['wider than 375 pixels'] : [];"
UNFOLD = "document.querySelectorAll('details').forEach(one => one.open = true)"


def faults(browser, address, *, whole=True):
    """What is wrong with a page, by the question that found it."""
    show(browser, address)
    browser.execute_script(UNFOLD)
    found = {
        "pictures": browser.execute_script(PICTURES),
        "axe": violations(browser) if whole else [],
        "console": console(browser),
    }
    set_width(browser, 375)
    found["width"] = browser.execute_script(WIDE)
    return {question: answer for question, answer in found.items() if answer}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_each_kind_is_sound(browser, tmp_path, kind):
    page = tmp_path / "page.html"
    KINDS[kind](tmp_path).save(html=page)
    assert "<svg" in page.read_text()
    assert faults(browser, page.as_uri(), whole=WHOLE or kind in READ) == {}


@pytest.mark.parametrize("name", ["report", "audited", "bare", "dense", "wide"])
def test_other_pages_are_sound(browser, tmp_path, request, name):
    page = tmp_path / "page.html"
    request.getfixturevalue(name).save(html=page)
    assert faults(browser, page.as_uri()) == {}


def test_the_page_of_a_table_is_sound(browser, tmp_path):
    rng, table, page = np.random.default_rng(0), tmp_path / "t.csv", tmp_path / "law.html"
    a, b = rng.uniform(1, 3, (2, 200))
    rows = zip(a, b, 2.37 * a * b + 0.05 * rng.normal(size=200), rng.normal(size=200), strict=True)
    table.write_text("a [m],b [s],y,z\n" + "\n".join(",".join(f"{one:.6f}" for one in row) for row in rows) + "\n")
    assert main([str(table), "--target", "y", "z", "--time-limit", "1", "--quiet", "--html", str(page)]) == 0
    assert faults(browser, page.as_uri()) == {}


def test_the_page_over_a_fleet_is_sound(browser, tmp_path):
    said = ("network: does its task: r2 0.9988 on 200 rows (a constant: 0)",)
    outcomes = (
        Outcome(f"{k}.pt", said, (), {"html": "<p>"}, 21 * k, 2, bool(k % 2), k, 2, 0.005 * k, True) for k in range(3)
    )
    members = (Member(f"net-{k}", f"{k}.pt", outcome, None, 0.1) for k, outcome in enumerate(outcomes))
    failed = Member("broken", "broken.pt", None, Failure("refused", "no file of weights"), 0.1)
    Fleet((*members, failed)).save(tmp_path)
    assert faults(browser, (tmp_path / "index.html").as_uri()) == {}


def test_faults_are_found(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        '<html><title>t</title><script>missing()</script><p style="width: 900px; color: #ccc">grey</p>'
        '<svg viewBox="0 0 515 7004" width="100"><text x="20" y="90">one</text><text x="25" y="92">two</text></svg>'
        '<svg role="img" aria-label="A net" viewBox="0 0 50 50" width="50"><text x="40" y="20">three</text></svg>'
    )
    found = faults(browser, page.as_uri())
    assert {*found} == {"pictures", "axe", "console", "width"}
    assert found["pictures"] == [
        "a picture without words", ": 515 x 7004", ': "one" runs into "two"', 'A net: "three" is cut'
    ]  # fmt: skip
