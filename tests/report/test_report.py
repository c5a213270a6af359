"""A report says what was found, in every form, and its forms can be relied on."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_analyze.report.records._schema import ReportFile, json_schema
from bimt_analyze.representations._interpretation import Interpretation
from bimt_train import InputError
from bimt_train.checkpoints import from_state_dict
from bimt_train.expressions import Decomposition

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"
VOID = {"meta", "br", "img", "hr", "input", "link"}


class Page(HTMLParser):
    """Tags, attributes and the balance of a page, read by the standard library's own parser."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.feed(text)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_the_summary_says_formulas_and_modules(report):
    assert report.summary() == (
        "network: does its task: r2 0.9999 on 80 rows (a constant: 0)",
        "y1 = x1 + 2*x3    exact on the data; the network follows it to r2 1.0000",
        "y2 = x2 - x4      exact on the data; the network follows it to r2 0.9999",
        "2 modules, matching the decomposition: {x1, x3 -> y1}  {x2, x4 -> y2}",
    )


def test_the_json_holds_what_is_known_of_the_network_by_hand(report):
    plain = report.to_json()
    assert plain["modules"] == [
        {"id": 1, "inputs": ["x1", "x3"], "outputs": ["y1"], "neurons": ["h1.0", "h1.1"]},
        {"id": 2, "inputs": ["x2", "x4"], "outputs": ["y2"], "neurons": ["h1.3"]},
    ]
    assert (plain["circuit"]["edges"], plain["circuit"]["neurons"]) == (7, 9)
    assert plain["circuit"]["loss"] <= 1.05 * plain["circuit"]["full_loss"]
    assert list(plain["formulas"]) == ["y1", "y2"]
    first = plain["formulas"]["y1"]
    assert (first["expression"], first["variables"], first["exact"]) == ("x1 + 2*x3", ["x1", "x3"], True)
    assert first["r2"] == 1.0 and 0.99 < first["network"]["r2"] < 1.0
    assert plain["structure"]["matches_decomposition"] is True and plain["structure"]["decomposition_level"] == "flat"
    assert plain["agreement"]["score"] == pytest.approx(1.0)
    assert [(p["subfunction"], p["module"]) for p in plain["agreement"]["subfunctions"]] == [("y1", 1), ("y2", 2)]
    assert 0 < plain["significance"]["p"] <= 1 and plain["significance"]["samples"] == 40
    assert plain["provenance"]["seeds"] == {"training": 7, "analysis": 0}


def test_the_json_is_json_and_follows_the_published_schema(report):
    text = report.to_json_text()
    assert (
        ReportFile.model_validate(json.loads(text, parse_constant=refuse)).model_dump(mode="json") == report.to_json()
    )


def test_the_published_schema_is_the_generated_one():
    assert json.loads(SCHEMA.read_text()) == json_schema()


def test_what_is_not_finite_becomes_null(report):
    formula = replace(report.formulas["y1"], r2=float("nan"), residual=float("inf"))
    odd = replace(
        report, formulas={**report.formulas, "y1": formula}, circuit=replace(report.circuit, full_loss=np.inf)
    )
    plain = json.loads(odd.to_json_text(), parse_constant=refuse)
    assert plain["formulas"]["y1"]["r2"] is None and plain["circuit"]["full_loss"] is None
    assert not odd.check("formulas.y1.r2>0")[0].holds
    assert "–" in odd.to_html() and "–" in odd.to_markdown()


def test_the_caller_cannot_change_a_report_through_its_json(report):
    report.to_json()["modules"].clear()
    assert len(report.to_json()["modules"]) == 2


def test_the_same_seed_gives_the_same_report_but_for_times(checkpoint, report, html):
    again = analyze(checkpoint, samples=40)
    first, second = report.to_json(), again.to_json()
    assert first["provenance"].pop("seconds").keys() == second["provenance"].pop("seconds").keys()
    assert first == second

    def undated(text):
        return re.sub(r"<dt>seconds</dt><dd>.*?</dd>", "", text)

    assert undated(html) == undated(again.to_html())


def test_the_page_stands_alone(html):
    text = html
    page = Page(text)
    assert not {"script", "link", "iframe", "object", "embed", "img", "base"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "xlink:href", "action", "data"):
            assert value.startswith(("#", "data:image/")), (name, value)
    assert "@import" not in text
    assert set(re.findall(r"url\((?!#)[^)]*\)", text)) == set()
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_page_shows_formulas_and_pictures(html):
    page = Page(html)
    assert page.tags.count("math") == 2 and page.tags.count("svg") == 4
    words = " ".join(page.words)
    for said in ("matching the decomposition", "exact", "h1.3", "precision and recall in one number", "1.5"):
        assert said in words
    sections = [value for name, value in page.attributes if name == "id" and "-" not in value]
    for section in (
        "formulas",
        "network",
        "modules",
        "predictions",
        "sweep",
        "agreement",
        "significance",
        "provenance",
    ):
        assert section in sections


def test_hostile_names_stay_text(make, report):
    evil = '<img src=x onerror=alert(1)>"&'
    checkpoint = make(evil, output_labels=("<b>one</b>", "y2"), decomposition=None)
    odd = replace(
        report, checkpoint=checkpoint, provenance={**report.provenance, "source": evil, "training": {"a": evil}}
    )
    text = odd.to_html()
    page = Page(text)
    assert not {"img", "b"} & set(page.tags) and "<b>one" not in text
    assert evil in " ".join(page.words)
    assert "<img" not in odd.to_markdown().replace("\\<img", "").replace(f"`{evil}`", "")


def test_the_markdown_has_whole_tables(report):
    text = report.to_markdown()
    for block in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block
    assert "`x1 + 2*x3`" in text and "matching the decomposition" in text


def test_reports_are_written_where_asked(report, tmp_path):
    report.save(json=tmp_path / "a" / "r.json", markdown=tmp_path / "r.md")
    assert json.loads((tmp_path / "a" / "r.json").read_text()) == report.to_json()
    assert (tmp_path / "r.md").read_text().startswith("# handmade")


def test_without_a_decomposition_there_is_no_agreement(make):
    found = analyze(make(decomposition=None), samples=0)
    plain = found.to_json()
    assert plain["agreement"]["score"] is None and plain["significance"]["p"] is None
    assert plain["structure"]["matches_decomposition"] is None
    assert found.summary()[-1] == "2 modules: {x1, x3 -> y1}  {x2, x4 -> y2}"
    page = " ".join(Page(found.to_html()).words)
    assert "No decomposition is known" in page and "was not tested" in page
    assert not found.check("agreement>=0")[0].holds


def test_modules_that_differ_from_the_decomposition_are_said_to(make):
    other = Decomposition.from_grouping("y1: x1 x2; y2: x3 x4")
    found = analyze(make(decomposition=other), samples=0)
    assert found.summary()[-1].startswith("2 modules, not matching the decomposition:")
    assert found.check("structure.matches_decomposition==false")[0].holds
    assert found.to_json()["agreement"]["score"] < 0.6
    assert found.to_json()["formulas"]["y1"]["canonical"] == "no truth"


def test_stages_are_told_as_they_begin(checkpoint):
    told = []
    found = analyze(checkpoint, samples=0, progress=told.append)
    assert (
        told
        == ["read", "prune", "modules", "audit", "representations", "formulas", "module formulas"]
        == list(found.provenance["seconds"])
    )


def test_no_seconds_no_formulas(checkpoint):
    report = analyze(checkpoint, samples=0, time_limit=0.0)
    assert dict(report.formulas) == {}
    assert 'id="formulas"' not in report.to_html()
    assert report.to_json()["formulas"] == {}
    assert "not exact" not in "\n".join(report.summary())


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"not a folder of runs: .*expected runs\.json"):
        analyze(tmp_path)
    with pytest.raises(InputError, match="no such file or folder"):
        analyze(tmp_path / "nothing")


def test_an_interpretation_stands_in_every_form_of_the_report(report):
    table = Interpretation("What they are", "two of them <b>", ("neuron", "share"), (("h1 | 2", 0.123456), (3, 1.0)))
    read = replace(report, interpretation=table)
    assert read.to_json()["interpretation"]["rows"] == [["h1 | 2", 0.123456], [3, 1.0]]
    assert report.to_json()["interpretation"] is None and "What they are" not in report.to_markdown()
    assert "| neuron | share |\n|---|---|\n| h1 \\| 2 | 0.1235 |\n| 3 | 1 |\n" in read.to_markdown()
    assert '<th scope="row">h1 | 2</th>' in read.to_html() and "two of them &lt;b&gt;" in read.to_html()
    assert "two of them <b>" in read.summary()


def test_nothing_that_is_connected_has_a_view_too():
    zeros = {"0.weight": np.zeros((3, 2)), "1.weight": np.zeros((1, 3))}
    empty = from_state_dict(zeros, activation="tanh", ranges=(-1, 1))
    report = analyze(empty, samples=0, time_limit=0.1)
    assert len(report.to_view().graph.edges.weight) == 0 and report.modules == ()
