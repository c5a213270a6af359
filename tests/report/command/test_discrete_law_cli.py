"""``bimt-analyze table.csv --target y --discrete``: the rule of truth values and whole numbers."""

import itertools
import json

import pytest

from bimt_analyze._cli import main


@pytest.fixture
def sums(tmp_path):
    """A sum modulo 7, noise, and numbers that are not whole."""
    lines = ["a,b,y,noise,half"]
    for n, (a, b) in enumerate(itertools.product(range(9), range(9))):
        lines.append(f"{a},{b},{(3 * a + 5 * b + 2) % 7},{n * n * 7919 // 13 % 6},{a / 2}")
    path = tmp_path / "sums.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def only(path, *columns):
    """The table of some of the columns."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    places = [rows[0].index(name) for name in columns]
    path.write_text("\n".join(",".join(row[k] for k in places) for row in rows) + "\n")
    return str(path)


def test_the_rule_of_each_target_or_a_line_that_there_is_none(sums, tmp_path, capsys):
    words = [only(sums, "a", "b", "y", "noise"), "--target", "y", "noise", "--discrete", "--quiet"]
    assert main([*words, "--json", str(tmp_path / "rules.json")]) == 0
    rule, verdict, none, _ = capsys.readouterr().out.splitlines()
    assert rule == "y = Mod(3*a + 5*b + 2, 7)" and verdict == "  modular, all 81 rows"
    assert none.startswith("noise: no rule found")
    plain = json.loads((tmp_path / "rules.json").read_text())
    assert plain["y"]["kind"] == "modular" and plain["y"]["exact"] and plain["noise"] is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,y\n" + "true,false,true\nfalse,false,false\nfalse,true,true\ntrue,true,true\n" * 6, "y = a | b\n  logic"),
        ("k,y\n" + "".join(f"{k},{2**k}\n" for k in range(12)), "y = 2*y(k - 1)\n  recurrence, all 12 rows\n"),
    ],
)
def test_truth_values_and_sequences_have_rules_too(tmp_path, capsys, text, said):
    (tmp_path / "t.csv").write_text(text)
    assert main([str(tmp_path / "t.csv"), "--target", "y", "--discrete", "--quiet"]) == 0
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--target", "y"], "numbers that are not whole"),
        ([], "no target named"),
        (["--target", "y", "--form", "q*a"], "two kinds of laws"),
        (["--target", "y", "--markdown", "r.md"], "got --markdown; hint: leave it out"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(sums, words, said, capsys):
    assert main([str(sums), "--discrete", *words]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
