"""The standalone check: one short file that needs numpy alone, agrees with the checker, and refuses what is false."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest

from bimt_analyze.certificates import UnprovedError, certify, check_certificate, standalone
from bimt_analyze.certificates.checker._evaluate import ACTIVATIONS
from bimt_analyze.certificates.checker._exact_fields import canonical, digest
from bimt_train.checkpoints import from_state_dict

FILE = Path(standalone.__file__)
TEXTS = [
    "exp(x) - log(x + 3)", "sin(5*x)*cos(3*x)", "tan(x/2)", "tanh(2*x)", "atan(3*x)", "asin(x/1.6)",
    "acos(x/3)", "erf(x)",
    "sqrt(x + 2)", "(x + 2)**(3/2)", "(x + 2)**(1/3)", "1/(x + 3)", "(x + 3)**-2", "x**3 - 2*x**2", "abs(x)", "E**x",
    "max(x, 0.3, -x)", "min(x, x**2)", "sinh(x)", "cosh(x)", "sin(40*x)", "pi*x", "(x - 5)**-3",
]  # fmt: skip


def resealed(data, change):
    said = json.loads(data)
    change(said)
    said["network_digest"] = digest(said["network"])
    return canonical(said | {"digest": digest({key: value for key, value in said.items() if key != "digest"})})


def network(rng, activation, n=2):
    weights = {"0.weight": rng.normal(size=(4, n)), "0.bias": rng.normal(size=4)}
    weights |= {"1.weight": rng.normal(size=(1, 4)), "1.bias": rng.normal(size=1)}
    return from_state_dict(weights, activation=activation, ranges=(-1, 1))


@pytest.fixture(scope="module")
def data():
    return certify(network(np.random.default_rng(5), "tanh"), "x1*x2 + 1", output="y1").data


def test_it_is_short():
    assert len(FILE.read_text().splitlines()) < 200


def test_it_runs_by_itself(data, tmp_path):
    shutil.copy(FILE, tmp_path / "standalone.py")
    files = {"good": data, "bad": resealed(data, lambda said: said["claim"].update(formula="x1")), "none": b"{}"}
    for (name, text), code in zip(files.items(), (0, 1, 2), strict=True):
        (tmp_path / name).write_bytes(text)
        command = [sys.executable, "-I", "standalone.py", name]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == code, ran.stderr
        assert (ran.stdout + ran.stderr).count("\n") == 1


@pytest.mark.parametrize("text", TEXTS + [f"{name}(3*x)" for name in ACTIVATIONS])
def test_ranges_and_slopes_hold_every_value(text, monkeypatch):
    """Against 30 digits of mpmath, whose derivatives are central differences, on boxes from wide to narrow."""
    monkeypatch.setattr(mpmath.mp, "dps", 40)
    rng = np.random.default_rng(0)
    centre, width = rng.uniform(-1, 1, 60), 10.0 ** rng.uniform(-6, 0, 60)
    low, high = np.maximum(centre - width, -1.5)[:, None], np.minimum(centre + width, 1.5)[:, None]
    boxes = standalone.Boxes(low, high)
    with np.errstate(all="ignore"):
        known = boxes._formula(text, {"x": boxes.x})[..., 0]
    assert np.isfinite(known[:, :2]).mean() > 0.9
    for k in range(60):
        for t in (0.0, 0.37, 1.0):
            x = mpmath.mpf(low[k, 0]) + (mpmath.mpf(high[k, 0]) - mpmath.mpf(low[k, 0])) * t
            value = exact(text, x)
            assert not (value > known[1, 0, k] or value < -known[0, 0, k]), (text, float(x))
            if 0 < t < 1:
                step = mpmath.mpf(10) ** -12
                slope = (exact(text, x + step) - exact(text, x - step)) / (2 * step)
                wrong = slope > known[1, 2, k] + 1e-9 * abs(slope) or slope < -known[0, 2, k] - 1e-9 * abs(slope)
                assert not wrong, (text, float(x))
        middle = exact(text, mpmath.mpf(low[k, 0] / 2 + high[k, 0] / 2))
        assert not (middle > known[1, 1, k] or middle < -known[0, 1, k])


def exact(text, x):
    names = ("exp", "log", "sin", "cos", "tan", "tanh", "atan", "asin", "acos", "erf", "sqrt", "sinh", "cosh")
    known = {name: getattr(mpmath, name) for name in names} | {"abs": abs, "max": max, "min": min, "E": mpmath.e}
    name = text.split("(")[0]
    if name in ACTIVATIONS and name not in names:
        x, text = 3 * x, ACTIVATIONS[name]
    numbers = re.sub(r"(?<![\w.])(\d+\.?\d*)", r"mpf('\1')", text)
    return mpmath.mpf(eval(numbers, known | {"x": x, "mpf": mpmath.mpf, "pi": mpmath.pi}))


@pytest.mark.parametrize("seed", range(30))
def test_it_agrees_with_the_checker(seed):
    rng = np.random.default_rng(seed)
    activation = sorted(ACTIVATIONS)[seed % len(ACTIVATIONS)]
    formula = ("x1 - 2*x2", "sin(2*x1) + x2**2", "exp(x1*x2)/2", "abs(x1) - 2*abs(x2)", "sqrt(x1 + 2)")[seed % 5]
    checkpoint = network(rng, activation if activation != "identity" else "relu")
    found = certify(checkpoint, formula, output="y1")
    assert standalone.check(found.data).startswith("|network - (")
    check_certificate(found.data)
    assert found.reached > 0

    def lower(said):
        said["claim"].update(bound=(0.99 * found.reached).hex(), reached=(0.5 * found.reached).hex())

    def weight(said):
        said["network"]["layers"][-1]["bias"] = (
            float.fromhex(said["network"]["layers"][-1]["bias"]) + 3 * found.bound
        ).hex()

    for change in (lower, weight, lambda said: said["claim"].update(formula="x1 + 9 + 3*x2")):
        with pytest.raises(standalone.Refused, match=r"larger difference|reached"):
            standalone.check(resealed(found.data, change))


def test_a_dropped_leaf_is_refused_by_the_other_checker(data):
    def drop(said):
        said["proof"]["leaves"] -= 1

    standalone.check(resealed(data, drop))  # it does not read the proof
    with pytest.raises(UnprovedError):
        check_certificate(resealed(data, drop))


def test_both_checks_must_accept(data, monkeypatch):
    def refuse(text):
        raise standalone.Refused("no")

    check_certificate(data)
    monkeypatch.setattr(standalone, "check", refuse)
    with pytest.raises(UnprovedError, match="no"):
        check_certificate(data)


@pytest.mark.parametrize(
    "formula", ["tanh(1/(x1 - 0.1))", "max(0, log(x1))", "sqrt(x1)*0", "x1**-1*0", "x1 @ x2", "x9"]
)
def test_what_is_undefined_somewhere_is_refused(data, formula, monkeypatch):
    monkeypatch.setattr(standalone, "MOST", 20_000)
    said = {"formula": formula, "bound": (100.0).hex(), "reached": (0.0).hex()}
    with pytest.raises(standalone.Refused):
        standalone.check(resealed(data, lambda whole: whole["claim"].update(said)))


@pytest.mark.parametrize("remark", [" # + 100*x1", "\n# proved: all", " # ", "\\\n"])
def test_what_stands_in_a_remark_is_not_printed_as_proved(data, remark):
    changed = resealed(data, lambda whole: whole["claim"].update(formula="x1*x2 + 1" + remark))
    standalone.check(data)
    with pytest.raises(standalone.Refused):
        standalone.check(changed)
    with pytest.raises(UnprovedError, match="remark"):
        check_certificate(changed)
