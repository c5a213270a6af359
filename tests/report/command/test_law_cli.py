"""``bimt-analyze table.csv --target y``: the law behind a table."""

import json

import numpy as np
import pytest

from bimt_analyze._cli import main
from bimt_analyze.command import _law_page


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["batch,t,y"]
    for label, a in (("red", 1.0), ("blue", 3.0), ("7", 2.0)):
        for t in rng.uniform(0, 4, 20):
            lines.append(f"{label},{t},{a * np.exp(-0.5 * t) + 2}")
    path = tmp_path / "t.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_form_is_fitted_in_each_group(table, tmp_path, capsys):
    words = [str(table), "--target", "y", "--groups", "batch", "--form", "A*exp(-k*t) + c", "--json"]
    assert main([*words, str(tmp_path / "law.json"), "--quiet"]) == 0
    said = capsys.readouterr().out
    assert "y = A*exp(-0.5*t) + 2.0, A in each group" in said and "exact, 3 groups" in said
    assert "blue: A = 3" in said
    law = json.loads((tmp_path / "law.json").read_text())["y"]
    assert [one["group"] for one in law["groups"]] == ["red", "blue", "7"] and law["own"] == ["A"]


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "T.TXT"])
def test_a_table_and_a_target_are_enough(tmp_path, capsys, name):
    path = tmp_path / name
    mark = "\t" if name == "t.tsv" else ","
    path.write_text("\n".join(mark.join(row) for row in [("a", "b", "y"), *_products()]) + "\n")
    assert main([str(path), "--target", "y", "--time-limit", "1", "--quiet"]) == 0
    assert capsys.readouterr().out == "y = a*b\n  exact on the data\n"


def _products():
    return [(str(a), str(b), str(a * b)) for a in range(1, 25) for b in (2, 3, 5, 7, 11)]


def test_a_table_without_a_target_says_what_is_missing(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n1,2,3\n")
    assert main([str(path)]) == 2
    told = capsys.readouterr().err
    assert "no target named" in told and "--target NAME" in told and "a column called file" in told


def test_what_is_no_table_is_said(tmp_path, capsys):
    path = tmp_path / "t.csv"
    for content, said in (
        ("größe,y\n1,2\n".encode("latin-1"), "not a text in UTF-8: {}: got byte 0xf6; hint: --encoding latin-1"),
        (b"", "an empty file without a column of files: {}: expected file; hint"),
    ):
        path.write_bytes(content)
        assert main([str(path), "--target", "y"]) == 2
        assert said.format(path) in capsys.readouterr().err
    path.write_bytes(b"gr\xf6\xdfe,y\n1,1\n2,4\n")
    words = [str(path), "--target", "y", "--encoding", "latin-1", "--time-limit", "0", "--quiet"]
    assert main(words) == 0 and "y = " in capsys.readouterr().out


def test_options_of_tables_want_a_table(linear, tmp_path, capsys):
    assert main([str(linear(tmp_path / "net.pt")), "--drop-missing"]) == 2
    assert capsys.readouterr().err.endswith(
        "an option for tables: got --drop-missing; hint: give the table with --probe\n"
    )


def test_without_groups_one_law_is_sought_for_all_rows(tmp_path, capsys):
    times = np.random.default_rng(0).uniform(0, 4, 60)
    (tmp_path / "t.csv").write_text("t,y\n" + "".join(f"{t},{np.exp(-0.5 * t) + 2}\n" for t in times))
    words = [str(tmp_path / "t.csv"), "--target", "y", "--functions", "exp,sqrt", "--time-limit", "1", "--quiet"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith("y = 2 + exp(-t/2)") and "exact on the data" in said


def test_a_dirty_table_is_mended_as_the_hint_says(tmp_path, capsys):
    """Decimal commas, a hole, a column of words and a unit: told with the options that mend them."""
    rows = [f"{t / 10:g};{1 + t % 7};hall;{3 + 0.2 * t:g}".replace(".", ",") for t in range(40)]
    rows[5] = ";1;hall;4"
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["t [s];k;site;y [m]", *rows]) + "\n")
    words = [str(path), "--target", "y", "--form", "a*t + b", "--quiet"]
    assert main(words) == 2
    assert "--drop-missing" in (told := capsys.readouterr().err) and "site" in told
    assert main([*words, "--skip", "k", "site", "--drop-missing", "--units", "names"]) == 0
    assert capsys.readouterr().out.startswith("y = 2*t + 3\n")


def test_rows_count_by_their_errors(tmp_path, capsys):
    t = np.linspace(1, 3, 30)
    wrong = np.arange(30) % 3 == 0
    lines = [f"{a},{2 * a + 9 * off},{1e4 if off else 1e-3}" for a, off in zip(t, wrong, strict=True)]
    (tmp_path / "t.csv").write_text("t,y,e\n" + "\n".join(lines) + "\n")
    words = [str(tmp_path / "t.csv"), "--target", "y", "--form", "a*t", "--sigma", "e", "--quiet"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("y = 2*t\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--groups", "batsch", "--target", "y"], "no such groups column"),
        (["--groups", "batch"], "no target named"),
        (["--groups", "batch", "--target", "y", "--audit"], "an option for networks"),
        (["--groups", "batch", "--target", "y", "--functions", "sinn"], "a function that is not known"),
        (["--target", "y", "--form", "a*t"], "'batch'"),
        (["--target", "y", "--drop-missing"], "hint: --categories one-hot, or --skip batch"),
        (["--target", "y", "--groups", "batch", "--sigma", "t"], "--sigma with --groups"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(table, words, said, capsys):
    assert main([str(table), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_page_shows_the_law_of_each_group(table, tmp_path):
    page = tmp_path / "law.html"
    words = ["--target", "y", "--groups", "batch", "--form", "A*exp(-k*t) + c", "--quiet"]
    assert main([str(table), *words, "--html", str(page)]) == 0
    text = page.read_text()
    assert "<h1>The law of t.csv</h1>" in text and "60 rows of t." in text and "exact, 3 groups" in text
    assert text.count("<li>") == 3 and "blue: A = 3" in text
    assert "<math" in text and 'aria-label="' in text and "<svg" in text


def test_a_page_shows_formula_word_picture_and_front(tmp_path):
    rng, path, page = np.random.default_rng(0), tmp_path / "t.csv", tmp_path / "law.html"
    a, b = rng.uniform(1, 3, (2, 200))
    y = 2.37 * a * b + 0.05 * rng.normal(size=200)
    path.write_text("a [m],b [s],y [m*s]\n" + "\n".join(map("{:.6f},{:.6f},{:.6f}".format, a, b, y)) + "\n")
    assert main([str(path), "--target", "y", "--time-limit", "2", "--quiet", "--html", str(page)]) == 0
    text = page.read_text()
    assert "within noise</span> on the data" in text and "<svg" in text and "formula: r2" in text
    assert "Measured constants of y_m_s" in text and "units: y_m_s [m*s], a_m [m], b_s [s]; units agree" in text
    assert "the front of length against error of y_m_s" in text


def test_a_page_says_what_has_no_law_and_what_draws_pictures(tmp_path, monkeypatch):
    path, page = tmp_path / "t.csv", tmp_path / "law.html"
    path.write_text("a,y\n" + "\n".join(f"{n},{n * n * 7919 // 13 % 6}" for n in range(40)) + "\n")
    monkeypatch.setattr(_law_page, "installed", lambda package: False)
    assert main([str(path), "--target", "y", "--discrete", "--quiet", "--html", str(page)]) == 0
    text = page.read_text()
    assert "no rule found" in text and "<svg" not in text and "Pictures are left out" in text
