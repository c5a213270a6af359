"""The page of a view in a browser: it opens, draws, filters and turns, by keyboard too, and the console is silent."""

import time

import numpy as np
import pytest
from browsing import console, needs_browser, show, violations

from bimt_analyze._cli import main
from bimt_analyze.graph import neuron_graph
from bimt_analyze.viewer import network_view
from bimt_train.checkpoints import Network
from bimt_train.models import MLP
from bimt_train.training import load_snapshots

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


SIDES = """
const {width, height} = document.getElementById("picture"), pen = document.getElementById("picture").getContext("2d");
const seen = x => pen.getImageData(x, 0, 3, height).data.filter((one, i) => i % 4 === 3 && one > 0).length;
return seen(0) + seen(width - 3);
"""
RED = """
const canvas = document.getElementById("picture"), copy = new OffscreenCanvas(canvas.width, canvas.height);
const pen = copy.getContext("2d");
pen.drawImage(canvas, 0, 0);
const {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
let found = 0;
for (let i = 0; i < data.length; i += 4) found += data[i] - data[i + 2] > 90;
return found;
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
def addresses(tmp_path_factory, view, planar, filmed):
    folder, views = tmp_path_factory.mktemp("views"), {"view": view, "planar": planar, "film": filmed}
    return {name: one.save(folder / f"{name}.html").as_uri() for name, one in views.items()}


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


def test_all_modules_are_in_the_picture_where_they_are_many(browser, tmp_path):
    network = Network.of(MLP([4, 60, 4]))
    modules = [{("h1", 3 * m + i) for i in range(3)} for m in range(20)]
    show(browser, network_view(neuron_graph(network), modules=modules).save(tmp_path / "many.html").as_uri())
    drawn(browser)
    assert browser.execute_script(SIDES) == 0 and browser.execute_script(DARK) > 0.005


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


def test_a_film_is_wound_and_played(browser, addresses, filmed):
    show(browser, addresses["film"])
    edges = [len(frame.graph.edges.weight) for frame in filmed.film]
    assert drawn(browser, edges[2]) == edges[2]  # it opens at the end, all modules open
    red = browser.execute_script(RED)
    assert text(browser, "#step") == "Step 400 of 400"
    browser.execute_script(SET, "#threshold", 40)
    shares = [round((edge + 1) ** 0.8 - 1) for edge in edges]
    assert drawn(browser, shares[2]) == shares[2]
    browser.execute_script(SET, "#frame", 0)
    assert drawn(browser, shares[0]) == shares[0] and text(browser, "#step") == "Step 0 of 400"
    assert f"{shares[0]} edges of {edges[0]}" in text(browser, "#cut")
    until = time.monotonic() + 20
    while time.monotonic() < until and browser.execute_script(RED) > red / 2:  # no weight is below 0
        time.sleep(0.02)
    assert browser.execute_script(RED) <= red / 2
    told = "return document.querySelector('#frame').getAttribute('aria-valuetext')"
    assert browser.execute_script(told) == f"step 0, {edges[0]} edges"
    browser.execute_script(SET, "#search", "h1.0")
    browser.execute_script("document.querySelector('#hits button').click()")
    listed = "return [...document.querySelectorAll('#chosen li button span')].map(one => Number(one.textContent))"

    def known(frame):
        """What stands in the panel of h1.0, by the graph."""
        table = frame.graph.to_frame()
        own = table[(table["target"] == "h1.0") | (table["source"] == "h1.0")]
        return sorted((own["weight"] * own["sign"]).tolist())

    assert sorted(browser.execute_script(listed)) == pytest.approx(known(filmed.film[0]), rel=0.01)
    browser.execute_script("document.getElementById('play').click()")
    until = time.monotonic() + 20
    while time.monotonic() < until and text(browser, "#step") != "Step 400 of 400":
        time.sleep(0.02)
    assert drawn(browser, shares[2]) == shares[2] and text(browser, "#play") == "Play"
    assert sorted(browser.execute_script(listed)) == pytest.approx(known(filmed.film[2]), rel=0.01)
    again = "const play = document.getElementById('play'); play.click(); "
    again += "return [play.textContent, document.getElementById('step').textContent]"
    assert browser.execute_script(again) == ["Pause", "Step 0 of 400"]
    browser.execute_script("document.getElementById('play').click()")
    assert text(browser, "#play") == "Play" and console(browser) == []


def test_the_film_of_a_command_is_wound_in_its_modules(browser, trained, tmp_path):
    page = tmp_path / "film.html"
    assert main([str(trained), "--film", str(page), "--samples", "0", "--time-limit", "0", "--quiet"]) == 0
    edges = [one.network.edges() for one in load_snapshots(trained / "seed-000.safetensors")]
    show(browser, page.as_uri())
    assert drawn(browser, edges[-1]) == edges[-1] and text(browser, "#step") == "Step 30 of 30"
    assert "module 1" in text(browser, "#outline") and browser.title.startswith("formula: training")
    browser.execute_script(SET, "#frame", 0)
    assert drawn(browser, edges[0]) == edges[0] and text(browser, "#step") == "Step 0 of 30"
    assert violations(browser) == [] and console(browser) == []


def test_two_fingers_zoom_and_one_goes_on(browser, addresses):
    from selenium.webdriver.common.actions.action_builder import ActionBuilder

    show(browser, addresses["film"])
    drawn(browser)
    box = browser.execute_script("const b = arguments[0].getBoundingClientRect(); return [b.left, b.top]",
                                 browser.find_element("id", "picture"))  # fmt: skip

    def fingers(*moves):
        """Each finger's moves in turn: a place, "down", "up", or None to wait."""
        actions = ActionBuilder(browser, duration=0)
        for number, own in enumerate(moves):
            finger = actions.add_pointer_input("touch", f"finger {number}")
            for move in own:
                if move in ("down", "up"):
                    (finger.create_pointer_down if move == "down" else finger.create_pointer_up)(button=0)
                elif move:
                    finger.create_pointer_move(0, int(box[0] + move[0]), int(box[1] + move[1]))
                else:
                    finger.create_pause(0)
        actions.perform()

    reads = "const c = JSON.parse(document.getElementById('picture').dataset.camera); return [c.scale, c.left, c.top]"
    scale, left, top = browser.execute_script(reads)
    one = [(300, 300), "down", None, None, None, (320, 310), "up"]
    other = [(400, 300), None, "down", (500, 300), "up"]
    fingers(one, other)
    expected = [2 * scale, 300 + 2 * (left - 300) + 20, 300 + 2 * (top - 300) + 10]
    assert browser.execute_script(reads) == pytest.approx(expected, abs=1.5)
    assert text(browser, "#chosen") == "" and console(browser) == []


@pytest.mark.parametrize(
    ("page", "scheme", "width"), [("view", "light", 1280), ("planar", "dark", 375), ("film", "light", 375)]
)
def test_axe_finds_nothing_in_a_view(browser, addresses, page, scheme, width):
    show(browser, addresses[page], width=width, scheme=scheme)
    drawn(browser)
    browser.execute_script("document.getElementById('open-all').click(); document.querySelector('details').open = true")
    browser.execute_script(SET, "#search", "1")
    browser.execute_script("document.querySelector('#hits button').click()")
    assert violations(browser) == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert console(browser) == []
