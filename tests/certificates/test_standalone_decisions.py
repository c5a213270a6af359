"""The standalone check of decisions: short, in agreement with the checker and with sympy, refusing what is false."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from certified_networks import gate_network

from bimt_analyze.certificates import UnprovedError, certify_decisions, check_certificate, standalone_decisions
from bimt_analyze.certificates.checker._evaluate import ACTIVATIONS
from bimt_analyze.certificates.checker._exact_fields import canonical, digest
from bimt_train.checkpoints import from_state_dict

FILE = Path(standalone_decisions.__file__)
LOGIC = ["x1 & (x2 | ~x3)", "x1 ^ x2 ^ x3", "Equivalent(x1, x2)", "Implies(x1, x2)", "Not(Or(x1, x2, x3))", "x1 < x2"]


def resealed(data, **claim):
    said = json.loads(data)
    said["claim"].update(claim)
    return canonical(said | {"digest": digest({key: value for key, value in said.items() if key != "digest"})})


def network(rng, activation, scale=1.0):
    weights = {"0.weight": scale * rng.normal(size=(5, 3)), "0.bias": rng.normal(size=5)}
    weights |= {"1.weight": rng.normal(size=(2, 5)), "1.bias": rng.normal(size=2)}
    return from_state_dict(weights, activation=activation, ranges=(0, 1))


def table(checkpoint, values, outputs):
    rows = np.array(np.meshgrid(*values, indexing="ij")).reshape(len(values), -1).T
    return [int(label) for label in outputs(checkpoint.predict(rows))]


@pytest.fixture(scope="module")
def data():
    return certify_decisions(gate_network(), "x1 & (x2 | ~x3)", output="y1").data


def test_it_is_short():
    assert len(FILE.read_text().splitlines()) < 200


def test_it_runs_by_itself(data, tmp_path):
    shutil.copy(FILE, tmp_path / "alone.py")
    files = {"good": data, "bad": resealed(data, formula="x1 & x2"), "none": b"{}"}
    for (name, text), code in zip(files.items(), (0, 1, 2), strict=True):
        (tmp_path / name).write_bytes(text)
        command = [sys.executable, "-I", "alone.py", name]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == code, ran.stderr
        assert (ran.stdout + ran.stderr).count("\n") == 1


def test_it_knows_the_checkers_activations():
    assert set(standalone_decisions.ACTIVATIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_stretches_no_error_more_than_is_said(name, monkeypatch):
    """And its own error is below what is counted; against 30 digits of mpmath."""
    monkeypatch.setattr(mpmath.mp, "dps", 30)
    function, slope = standalone_decisions.ACTIVATIONS[name]
    x = np.concatenate([np.linspace(-9, 9, 400), [-300.0, -40.0, 40.0, 300.0]])
    exact = [mpmath.mpf(checkers(name, value)) for value in x]
    with np.errstate(all="ignore"):
        off = [abs(a - mpmath.mpf(float(b))) for a, b in zip(exact, function(x), strict=True)]
    assert all(error <= standalone_decisions.ROUND / 4 * (1 + abs(at)) for error, at in zip(off, x, strict=True))
    steep = [abs(b - a) / (u - t) for a, b, t, u in zip(exact[:399], exact[1:400], x[:399], x[1:400], strict=True)]
    assert slope / 1.5 < max(steep) <= slope * (1 + 1e-12)


def checkers(name, value):
    """The activation in the checker's own words, with many digits."""
    known = {word: getattr(mpmath, word) for word in ("tanh", "exp", "log", "erf", "sqrt", "pi")}
    numbers = re.sub(r"(?<![\w.])(\d+\.?\d*)", r"mpf('\1')", ACTIVATIONS[name])
    return eval(numbers, known | {"x": mpmath.mpf(value), "mpf": mpmath.mpf})


@pytest.mark.parametrize("seed", range(20))
def test_it_agrees_with_the_checker(seed):
    rng = np.random.default_rng(seed)
    checkpoint = network(rng, sorted(ACTIVATIONS)[seed % len(ACTIVATIONS)].replace("identity", "relu"), scale=3.0)
    values = [(-1, 0, 2), (0, 1), (0, 0.5, 1)]
    for output, outputs in (("y2", lambda y: y[:, 1] > 0), (None, lambda y: y.argmax(axis=1))):
        right = table(checkpoint, values, outputs)
        found = certify_decisions(checkpoint, right, output=output, values=values)
        assert "at all 18 points" in standalone_decisions.check(found.data)
        assert float(found.margin) > 0
        wrong = "".join(map(str, (*right[:7], 1 - right[7], *right[8:])))
        with pytest.raises(standalone_decisions.Refused, match="another decision at"):
            standalone_decisions.check(resealed(found.data, formula=f"table {wrong}"))
        with pytest.raises(standalone_decisions.Refused, match="only a margin of"):
            standalone_decisions.check(resealed(found.data, margin=(float(found.margin) * 1.001).hex()))


@pytest.mark.parametrize("formula", LOGIC)
def test_it_reads_formulas_as_sympy_does(formula):
    symbols = sympy.symbols("x1 x2 x3")
    for row in np.ndindex(2, 2, 2):
        numbers = dict(zip(("x1", "x2", "x3"), row, strict=True))
        truths = row if "<" in formula else tuple(map(bool, row))
        right = bool(sympy.sympify(formula, convert_xor=False).subs(dict(zip(symbols, truths, strict=True))))
        claim = {"formula": formula, "inputs": list(numbers), "values": []}
        assert standalone_decisions._labels(claim, [row], 0)[0] == right, (formula, row)


def test_numbers_modulo_are_exact():
    claim = {"formula": "(a - 2*b) % 7", "inputs": ["a", "b"], "values": []}
    rows = [(a, b) for a in range(-9, 9) for b in range(9)]
    assert standalone_decisions._labels(claim, rows, 0).tolist() == [(a - 2 * b) % 7 for a, b in rows]


def test_a_certificate_holds_only_if_both_agree(data, monkeypatch):
    def refuse(_):
        raise standalone_decisions.Refused("no")

    check_certificate(data)
    monkeypatch.setattr(standalone_decisions, "check", refuse)
    with pytest.raises(UnprovedError, match="not proved: got no"):
        check_certificate(data)
