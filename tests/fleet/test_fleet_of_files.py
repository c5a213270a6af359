"""One call on many files: every file has its row, and a broken one is the end of itself alone."""

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import pytest
import torch
from inline_fleet import in_this_process

from bimt_analyze._cli import main

QUICK = ("--samples", "0", "--time-limit", "0", "--refit", "0", "--quiet")
GOOD = ("m3", "m1", "m8", "m5", "m4", "m2", "m7", "m6", "m0")  # no order that a sort would give
BROKEN = {"truncated", "odd", "empty"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory, linear):
    """The outcome of one call on a manifest of 12 files, of which 3 are broken each in its own way."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "nets").mkdir()
    files = [linear(folder / "nets" / f"{name}.pt", seed) for seed, name in enumerate(GOOD)]
    truncated = folder / "nets" / "truncated.pt"
    truncated.write_bytes(files[0].read_bytes()[:200])
    empty = folder / "nets" / "empty.pt"
    torch.save({"epoch": 3}, empty)
    odd = linear(folder / "nets" / "odd.pt")
    files[2:2], files[6:6], files[9:9] = [truncated], [odd], [empty]
    rows = [f"nets/{file.name},{'swish2' if file is odd else ''}" for file in files]
    (folder / "manifest.csv").write_text("\n".join(["file,activation", *rows]) + "\n")
    words = [folder / "manifest.csv", "--activation", "relu", "--range", "-1", "1", "--out", folder / "audits"]
    gates = ["--require", "circuit.edges>=1", "--require", "formulas.y9.exact"]
    with in_this_process():
        status = main([*map(str, words), *gates, *QUICK])
    out = folder / "audits"
    results = json.loads((out / "results.json").read_text())
    return SimpleNamespace(folder=folder, out=out, files=files, status=status, results=results)


def names(fleet):
    return [file.stem for file in fleet.files]


def test_nine_reports_and_three_reasons(fleet):
    assert {page.stem for page in fleet.out.glob("*.html")} == {"index", *(set(names(fleet)) - BROKEN)}
    assert {page.stem for page in fleet.out.glob("*.json")} == {"results", *(set(names(fleet)) - BROKEN)}
    reasons = {each["name"]: each["reason"] for each in fleet.results["members"] if each["failure"]}
    assert set(reasons) == BROKEN and all("\n" not in reason for reason in reasons.values())
    assert "damaged" in reasons["truncated"] and "swish2" in reasons["odd"] and "tensor" in reasons["empty"]
    assert fleet.results["failed"] == 3 and fleet.results["files"] == 12


def test_each_report_is_that_of_its_file(fleet):
    for file in fleet.files:
        if file.stem not in BROKEN:
            report = json.loads((fleet.out / f"{file.stem}.json").read_text())
            assert report["provenance"]["source"] == str(file)
            row = next(each for each in fleet.results["members"] if each["name"] == file.stem)
            assert (row["edges"], row["network"]) == (report["circuit"]["edges"], report["summary"][0])


def test_rows_stand_in_the_order_of_the_call(fleet):
    assert [each["name"] for each in fleet.results["members"]] == names(fleet)
    with (fleet.out / "results.csv").open() as lines:
        assert [row["name"] for row in csv.DictReader(lines)] == names(fleet)
    page = (fleet.out / "index.html").read_text()
    assert re.findall(r'<tr role="row" style="--given:(\d+)', page) == [str(place) for place in range(12)]
    assert re.findall(r'scope="row" title="[^"]*/(\w+)\.pt"', page) == names(fleet)


def test_junit_has_a_case_a_file_with_failures_and_errors_apart(fleet):
    root = ElementTree.parse(fleet.out / "junit.xml").getroot()
    suite = root.find("testsuite")
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == names(fleet)
    assert {case.get("name") for case in cases if case.find("error") is not None} == BROKEN
    failures = {case.get("name"): case.find("failure") for case in cases if case.find("failure") is not None}
    assert set(failures) == set(names(fleet)) - BROKEN  # no network has an output y9
    assert all("formulas.y9" in found.text and "edges" not in found.text for found in failures.values())
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("12", "9", "3")


def test_the_status_says_that_not_all_is_well(fleet):
    assert fleet.status == 1
    assert fleet.results["missed"] == 9


def test_gates_are_counted(fleet):
    rows = [each for each in fleet.results["members"] if not each["failure"]]
    assert {(row["gates_held"], row["gates"]) for row in rows} == {(1, 2)}


def test_the_page_is_whole_and_links_each_report(fleet):
    page = (fleet.out / "index.html").read_text()
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    links = re.findall(r'<a href="([^"]+)"', page)
    assert len(links) == 9 and all((fleet.out / link).is_file() for link in links)
    for row in fleet.results["members"]:
        if row["failure"]:
            assert row["reason"].split("'")[0].split(":")[0] in page
