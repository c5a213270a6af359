"""The audit in the report: the same numbers in JSON, Markdown and HTML, and on the command line."""

import json

import pytest

from bimt_analyze import analyze
from bimt_analyze._cli import main
from bimt_analyze.report.records._schema import ReportFile
from bimt_train import InputError


def test_the_record_holds_the_audit(audited):
    plain = audited.to_json()
    assert ReportFile.model_validate(plain).audit is not None
    assert plain["audit"] == json.loads(json.dumps(audited.audit.to_json()))
    assert [f"{module['inputs']}" for module in plain["modules"]] == ["['x1', 'x3']", "['x2', 'x4']"]
    assert plain["audit"]["modules"] == ["{x1, x3 -> y1}", "{x2, x4 -> y2}"]
    assert audited.summary()[-1] == plain["audit"]["verdict"][0]["text"]


def test_without_one_there_is_none(report):
    assert report.to_json()["audit"] is None
    assert 'id="audit"' not in report.to_html()


def test_the_page_shows_every_sentence_and_picture(audited):
    html, markdown = audited.to_html(), audited.to_markdown()
    for section in ("audit", "audit-levels", "audit-nulls", "audit-mean-ablation-effects"):
        assert f'<section id="{section}">' in html
    for sentence in audited.audit.summary():
        assert sentence.split("(")[0].replace("'", "&#39;").replace(">", "&gt;").strip() in html
        assert sentence.split("(")[0].split("'")[0].strip() in markdown.replace("\\", "")


def test_requirements_reach_into_it(audited):
    (finding,) = audited.check("audit.nulls.degree_preserving.specialisation.p<=1")
    assert finding.holds
    (finding,) = audited.check("audit.agreement>=0.99")
    assert finding.holds
    (finding,) = audited.check("audit.modular")
    assert finding.holds == audited.audit.verdict.modular


def test_the_command_line_asks_for_it(saved, tmp_path, capsys):
    out = tmp_path / "audit.json"
    few = ["--retrain", "0", "--samples", "20", "--time-limit", "0.3", "--refit", "5", "--quiet"]
    assert main([str(saved), "--audit", *few, "--json", str(out), "--require", "audit.agreement>=0.9"]) == 0
    assert json.loads(out.read_text())["audit"]["verdict"][0]["text"] in capsys.readouterr().out


def test_what_needs_an_audit_is_refused_before_the_work(saved, capsys, monkeypatch):
    monkeypatch.setattr("bimt_analyze.command._network_command.work", None)
    assert main([str(saved), "--require", "audit.modular"]) == 2
    assert "add --audit" in capsys.readouterr().err


def test_too_few_samples_are_refused_before_the_work(checkpoint, monkeypatch):
    monkeypatch.setattr("bimt_analyze.analysis._analyze.circuit_to_analyse", None)
    with pytest.raises(InputError, match="20 or more"):
        analyze(checkpoint, audit=True, samples=19)
