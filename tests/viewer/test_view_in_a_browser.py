"""The page of a view in a browser: it opens, draws, filters and turns, by keyboard too, and the console is silent."""

import time

import numpy as np
import pytest
from browsing import console, needs_browser, show, violations

pytestmark = needs_browser
PRESS = """
const [where, key, shift] = arguments, target = document.querySelector(where);
target.focus();
const about = {key, shiftKey: shift, bubbles: true, cancelable: true};
document.activeElement.dispatchEvent(new KeyboardEvent("keydown", about));
"""
SET = """
const [where, value] = arguments, field = document.querySelector(where);
field.value = value;
field.dispatchEvent(new Event("input", {bubbles: true}));
field.dispatchEvent(new Event("change", {bubbles: true}));
"""
DARK = """
const canvas = document.getElementById("picture");
const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
let found = 0;
for (let i = 3; i < data.length; i += 4) found += data[i] > 0;
return found / (data.length / 4);
"""


def press(browser, key, where="#outline > [role=treeitem]", shift=False):
    browser.execute_script(PRESS, where, key, shift)


def drawn(browser, expected=None):
    """How many edges the exact picture has, once it stands still; waits for a number if one is expected."""
    until = time.monotonic() + 20
    told = None
    while time.monotonic() < until and (told is None or expected not in (None, told)):
        told = browser.execute_script("return document.getElementById('picture').dataset.drawn ?? null")
        told = None if told is None else int(told)
        time.sleep(0.02)
    return told


@pytest.fixture(scope="module")
def addresses(tmp_path_factory, view, planar):
    folder = tmp_path_factory.mktemp("views")
    return {name: one.save(folder / f"{name}.html").as_uri() for name, one in (("view", view), ("planar", planar))}


def text(browser, where):
    return browser.execute_script("return document.querySelector(arguments[0]).textContent", where)


def test_modules_are_opened_by_keyboard_and_weak_edges_hidden(browser, addresses, view):
    show(browser, addresses["view"])
    assert drawn(browser) == 18  # all edges of closed blocks lead to the ends of the network
    assert browser.execute_script(DARK) > 0.005
    press(browser, "ArrowRight")
    press(browser, "ArrowRight")
    press(browser, "Enter", "#outline [aria-level='2']")
    assert browser.execute_script("return document.querySelectorAll('#outline [aria-level=\"3\"]').length") == 2
    press(browser, "Enter", "#outline [aria-level='3']")
    neuron = next(node for node in view.graph.nodes if node.key in view.modules[0])
    frame = view.graph.to_frame()
    reads = set(frame.loc[frame["source"] == neuron.label, "target"])
    listed = "return [...document.querySelectorAll('#chosen li button')].map(one => one.firstChild.textContent)"
    assert set(browser.execute_script(listed)) == reads and neuron.label in text(browser, "#chosen h2")
    browser.execute_script(SET, "#threshold", 100)
    kept = round(19**0.5 - 1)
    assert drawn(browser, kept) == kept
    assert f"{kept} edges of 18" in text(browser, "#cut") and "loss 0.5 with the strongest 4" in text(browser, "#cut")
    browser.execute_script(SET, "#colour", "effect")
    assert "greatest" in text(browser, "#legend")
    assert console(browser) == []


def test_a_search_opens_what_it_finds(browser, addresses):
    show(browser, addresses["view"])
    browser.execute_script(SET, "#search", "H1.")
    assert text(browser, "#found") == "6 found"
    browser.execute_script("document.querySelector('#hits button').click()")
    assert "h1.0" in text(browser, "#chosen h2") and "Ablation effect" in text(browser, "#chosen")
    assert browser.execute_script("return document.querySelectorAll('#outline [aria-expanded=true]').length") == 2


def test_a_module_says_how_strongly_others_are_joined_to_it(browser, addresses, planar):
    show(browser, addresses["planar"])
    browser.execute_script(SET, "#search", "module 1")
    browser.execute_script("document.querySelector('#hits button').click()")
    source, target, weight, _ = planar.graph.edges
    first = np.isin(np.arange(len(planar.graph.nodes)), [planar.graph.numbers[key] for key in planar.modules[0]])
    corner = planar.graph.numbers["x", 0]
    second = weight[(source == corner) & first[target]].sum()
    rest = weight[(first[target] & (source != corner)) | first[source]].sum()
    told = "return [...document.querySelectorAll('#chosen li button')].map(one => one.textContent)"
    assert browser.execute_script(told) == [f"no module{rest:.3g}", f"module 2{second:.3g}"]


def test_planes_are_turned(browser, addresses):
    show(browser, addresses["planar"])
    assert drawn(browser) == 81 + 18 and console(browser) == []
    before = browser.execute_script("return document.getElementById('picture').toDataURL()")
    press(browser, "ArrowLeft", "#picture", shift=True)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        after = browser.execute_script("return document.getElementById('picture').toDataURL()")
        if after != before:
            return
    pytest.fail("the picture did not change")


@pytest.mark.parametrize(("page", "scheme", "width"), [("view", "light", 1280), ("planar", "dark", 375)])
def test_axe_finds_nothing_in_a_view(browser, addresses, page, scheme, width):
    show(browser, addresses[page], width=width, scheme=scheme)
    drawn(browser)
    browser.execute_script("document.getElementById('open-all').click(); document.querySelector('details').open = true")
    browser.execute_script(SET, "#search", "1")
    browser.execute_script("document.querySelector('#hits button').click()")
    assert violations(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert console(browser) == []
