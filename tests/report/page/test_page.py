"""The page of a report can be read by everyone: structure, words for pictures, links, and a size that is bounded."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
import sympy
from matplotlib.colors import to_hex

from bimt_analyze.plots import draw_levels, draw_sweep, module_colour
from bimt_analyze.report._network_fit import NetworkFit
from bimt_analyze.report.page._headline import headline
from bimt_analyze.report.page._set_formula import set_formula
from bimt_train import Recipe, train
from bimt_train.checkpoints import Network
from bimt_train.library import StoredModule
from bimt_train.models import MLP
from bimt_train.pruning import Circuit
from bimt_train.pruning._circuit import SweepPoint
from bimt_train.tasks import formula_task

VOID = {"meta", "input", "br"}


class Elements(HTMLParser):
    """Every element of a page: its tag, its attributes, what it lies in, its own text."""

    def __init__(self, text):
        super().__init__()
        self.found, self.stack = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        one = {"tag": tag, "inside": [each["tag"] for each in self.stack], "text": "", **dict(attributes)}
        self.found.append(one)
        if tag not in VOID:
            self.stack.append(one)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag):
        assert self.stack.pop()["tag"] == tag

    def handle_data(self, text):
        if self.stack:
            self.stack[-1]["text"] += text

    def all(self, *tags):
        return [one for one in self.found if one["tag"] in tags]


@pytest.fixture(scope="module")
def texts(request):
    """The page of each kind of report, written once."""
    kinds = ("report", "audited", "bare", "dense", "wide")
    return {kind: request.getfixturevalue(kind).to_html() for kind in kinds}


@pytest.fixture(params=["report", "audited", "bare", "dense"])
def page(request, texts):
    return texts[request.param]


def test_every_picture_is_told_in_words(page):
    elements = Elements(page)
    told = [(one.get("role"), one.get("aria-label", "")) for one in elements.all("svg")]
    assert told and all(role == "img" for role, _ in told)
    assert all(len(words) > 30 and re.search(r"\d", words) for _, words in told), told
    assert len({words for _, words in told}) == len(told)
    assert len(elements.all("figcaption")) == len(elements.all("figure")) == len(told)
    assert not elements.all("img")


def test_headings_are_in_order_under_one_title(page):
    levels = [int(one["tag"][1]) for one in Elements(page).all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


def test_landmarks_and_language(page):
    elements = Elements(page)
    assert elements.all("html")[0]["lang"] == "en"
    assert [len(elements.all(tag)) for tag in ("header", "nav", "main")] == [1, 1, 1]
    assert elements.all("nav")[0]["aria-label"]


def test_the_contents_link_every_section_and_links_hold(page):
    elements = Elements(page)
    ids = [one["id"] for one in elements.found if "id" in one]
    links = [one["href"].removeprefix("#") for one in elements.all("a")]
    assert len(ids) == len(set(ids)) and set(links) <= set(ids)
    sections = [one["id"] for one in elements.all("section")]
    assert [link for link in links if link != "content"] == sections


def test_tables_have_captions_and_heads(page):
    elements = Elements(page)
    tables = elements.all("table")
    assert tables and len(elements.all("caption")) == len(tables)
    assert all(one["text"].strip() for one in elements.all("caption"))
    heads = elements.all("th")
    assert {one.get("scope") for one in heads} == {"col", "row"}
    assert all(one["text"].strip() for one in heads if one["scope"] == "col")
    assert sum("thead" in one["inside"] for one in elements.all("tr")) == len(tables)
    rows = [one for one in elements.all("tr") if "tbody" in one["inside"]]
    assert sum(one["scope"] == "row" for one in heads) == len(rows)


def test_what_scrolls_can_be_reached_with_the_keyboard(page):
    boxes = [one for one in Elements(page).found if "scroll" in one.get("class", "").split()]
    assert boxes and all(one.get("tabindex") == "0" and one["aria-label"] for one in boxes)


def parts(text):
    return [one["id"] for one in Elements(text).all("section") if one["id"].startswith("part-")]


def test_a_page_begins_with_what_was_asked(texts, audited):
    assert parts(texts["report"]) == ["part-law", "part-network", "part-audit", "part-about"]
    assert parts(texts["audited"]) == ["part-audit", "part-network", "part-law", "part-about"]
    assert parts(texts["bare"]) == ["part-network", "part-audit", "part-about"]
    text = texts["audited"]
    assert text.index(audited.audit.summary()[0]) < text.index("<nav") < text.index('id="audit"')


def test_the_strip_says_the_verdict_and_three_numbers(report, audited, bare):
    law, audit, network = map(headline, (report, audited, bare))
    assert (law.asked, law.word, law.good) == ("law", "identified", True)
    assert law.verdict.startswith("A law of the data is identified for 2 of 2 outputs. The network follows")
    assert law.numbers[0] == ("laws identified", "2 of 2") and law.assumed == ()
    assert audit.verdict == audited.audit.summary()[0] and audit.good == audited.audit.verdict.modular
    assert dict(audit.numbers)["modules"] == "2" and audit.numbers[1][1] == f"{audited.p:.2g}"
    assert (network.asked, network.word) == ("network", "does its task") and network.verdict.startswith("Network: does")
    assert all(len(one.numbers) == 3 for one in (law, audit, network))


def test_the_strip_withholds_what_was_not_found(report):
    unsure = {name: replace(formula, verification=None) for name, formula in report.formulas.items()}
    said = headline(replace(report, formulas=unsure))
    assert said.word == "no law identified" and not said.good and "for none of 2 outputs" in said.verdict


def test_what_was_assumed_stands_in_the_strip(report):
    assumed = tuple(f"reason {number} <&>" for number in range(6))
    text = replace(report, fit=replace(report.fit, assumed=assumed)).to_html()
    strip = text[text.index('<div class="strip">') : text.index("<nav")]
    assert all(f"reason {number} &lt;&amp;&gt;" in strip for number in range(6)) and "2 more" in strip


def test_what_training_began_with_is_said_with_its_use(report):
    module = StoredModule(("x1",), ("s",), ((np.ones((1, 1)), np.zeros(1)), (np.ones((1, 1)), np.zeros(1))), "silu")
    task = formula_task(["y = x1 + x2"], widths=(2, 4, 1), rows=(20, 20))
    for keep, how in ((True, "kept"), (False, "trained too")):
        checkpoint = train(task, seeds=1, recipe=Recipe(steps=2), given=[module], keep=keep).best.checkpoint
        (said,) = checkpoint.config["given"]
        unread = replace(checkpoint, config={"given": [{**said, "used": False}]})
        (used,), (idle,) = (NetworkFit.of(one).given for one in (checkpoint, unread))
        assert used == f"began with the module s = ? of x1, {how}: used, by weights of at most {said['strongest']:.2g}"
        assert idle == f"began with the module s = ? of x1, {how}: not used"
    told = replace(report, fit=replace(report.fit, given=(used,)))
    assert used in told.summary() and used in told.to_markdown() and used[1:] in told.to_html()
    assert told.to_json()["network"]["given"] == [used]


def test_pages_stay_small(texts):
    assert all(len(text.encode()) < 1_000_000 for text in texts.values())
    assert "2,000 of" in texts["wide"]  # fewer edges are drawn than there are, and the picture says so


def test_the_number_of_pictures_is_bounded(dense, monkeypatch):
    monkeypatch.setattr("bimt_analyze.report.page._pictures.MOST_MISSED", 1)
    ((_, one),) = dense.formulas.items()
    assert one.verification is not None and one.verification.divergence is not None
    text = replace(dense, formulas={f"y{number}": one for number in range(1, 4)}).to_html()
    assert text.count('aria-label="Formula minus network') == 1
    assert "the formulas of 2 more outputs is not drawn" in text


def test_many_names_are_folded(texts):
    text = texts["wide"]
    folded = re.search(
        r"<td><details><summary>x1, x2, x3, x4, x5, x6 and 58 more</summary>([^<]+)</details></td>", text
    )
    assert folded is not None and folded[1].split(", ") == [f"x{number}" for number in range(1, 65)]
    assert "<td>x1, x3</td>" in texts["report"]


def sizes(text):
    return [tuple(map(float, found.split()[2:])) for found in re.findall(r'viewBox="([^"]+)"', text)]


@pytest.mark.parametrize("loss", [0.0, 1e-9])
def test_a_loss_of_zero_is_drawn_within_its_picture(loss):
    points = tuple(
        SweepPoint(10.0**-k, edges=9 - k, loss=loss if k > 2 else 0.1 * k, components=1) for k in range(1, 6)
    )
    circuit = Circuit(Network.of(MLP((2, 3, 1))), {}, 1e-3, loss, loss, 0.05, 0, points)
    drawn = draw_sweep(circuit)
    ((width, height),) = sizes(drawn.svg())
    assert width < 700 and height < 700
    low, high = drawn.axes.child_axes[0].get_ylim()
    assert low <= loss <= high and low <= 0.2 <= high


def test_no_picture_has_an_odd_shape_or_labels_that_meet(texts, wide):
    for text in texts.values():
        assert all(200 < width < 1100 and 150 < height < 1300 for width, height in sizes(text))
    for panel in draw_sweep(wide.circuit).axes.child_axes:
        for axis, side in ((panel.xaxis, 0), (panel.yaxis, 1)):
            labels = [label for label in axis.get_ticklabels() if label.get_text() and label.get_visible()]
            boxes = sorted(label.get_window_extent().get_points()[:, side].tolist() for label in labels)
            assert all(first[1] <= second[0] for first, second in pairwise(boxes))


@pytest.mark.parametrize("turn", [1, -1])
def test_a_module_has_its_colour_whatever_the_level_numbers_it(audited, turn):
    order = audited.module_sets[::turn]
    network, level = audited.audit.circuit.network, audited.audit.choice.level
    drawn = draw_levels(network, [level], chosen=level, order=order).axes.child_axes[0]
    outputs = next(one for one in drawn.collections if one.get_gid() == "neurons-y")
    assert [to_hex(fill) for fill in outputs.get_facecolor()] == [module_colour(0), module_colour(1)][::turn]


def test_long_sums_break_between_terms_and_the_longest_are_folded():
    x = sympy.symbols("x1:31", real=True)
    some, many = set_formula(sum(x[:5]) - x[6], output="y"), set_formula(sum(x), output="y")
    assert some.count("<math") == 6 and some.count("<mo form") == 5 and "−" in some and "<details" not in some
    assert many.startswith("<details><summary>y: a sum of 30 terms")


def test_what_is_too_wide_for_paper_is_printed_as_text():
    x = sympy.symbols("x1:31", real=True)
    long = set_formula(sympy.tanh(sum(x)), output="<y>")
    assert 'class="scroll terms wide"' in long and '<code class="instead">&lt;y&gt; = tanh(x1' in long
    assert "instead" not in set_formula(sympy.tanh(x[0]), output="y")


def test_a_long_name_on_the_left_is_written_as_text_on_paper():
    x = sympy.Symbol("x", real=True)
    wide = [str(set_formula(x + 1, output=name)).count("instead") for name in ("y", "y" * 80)]
    assert wide == [0, 1]
