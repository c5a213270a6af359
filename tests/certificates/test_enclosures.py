"""Every enclosure holds the true value, which mpmath gives with 50 digits."""

import re
from math import erf

import mpmath
import numpy as np
import pytest
import torch

from bimt_analyze.certificates.checker._evaluate import ACTIVATIONS, Unreadable, evaluated, parsed
from bimt_analyze.certificates.checker._form import Form
from bimt_train.models.building_blocks.activations import activation_module

mpmath.mp.dps = 50
ULPS = 4  # that the checker assumes of numpy and of math.erf

# Formulas, and a box on which each is defined; the words are also mpmath's.
FORMULAS = {
    "x*y - x/y + 0.1": (0.2, 3),
    "(x - y)**2 + (x + y)**3": (-2, 2),
    "x**5 - 3*x**4*y": (-2, 2),
    "x**(-2) + y**(-3)": (0.1, 2),
    "x**0.5 + y**1.5": (0, 2),
    "x**(1/3)*y**0.37": (0.1, 4),
    "x**y": (0.2, 2),
    "sqrt((x - y)**2 + x**2)": (-1, 1),
    "sqrt(x)": (0, 1e-3),
    "exp(-x**2)*cos(3*y)": (-2, 2),
    "exp(2*x - y)": (-4, 4),
    "log(x + y) + ln(x)": (0.05, 3),
    "sin(pi*x) + E*tan(y/2)": (-2, 2),
    "tanh(3*x)*tanh(y)": (-4, 4),
    "asin(x) + acos(y)": (-1, 1),
    "atan(4*x) - atan(y)": (-5, 5),
    "sinh(x)/cosh(y)": (-3, 3),
    "abs(x - y) + Abs(x)": (-1, 1),
    "max(x, y, 0) - Min(x, 2*y)": (-1, 1),
    "erf(x)*erf(3*y)": (-3, 3),
    "1e-9*x + 12345678901234567*y": (-1, 1),
}
WORDS = {
    "sqrt": mpmath.sqrt, "exp": mpmath.exp, "log": mpmath.log, "ln": mpmath.log, "sin": mpmath.sin, "cos": mpmath.cos,
    "tan": mpmath.tan, "tanh": mpmath.tanh, "asin": mpmath.asin, "acos": mpmath.acos, "atan": mpmath.atan,
    "sinh": mpmath.sinh, "cosh": mpmath.cosh, "abs": abs, "Abs": abs, "erf": mpmath.erf, "max": max, "Max": max,
    "min": min, "Min": min, "pi": mpmath.pi, "E": mpmath.e,
}  # fmt: skip


def exact_text(text):
    """The text with every number in 50 digits."""
    return re.sub(r"(?<![\w.])(\d+\.?\d*(?:e-?\d+)?)", r"mpf('\1')", text)


def boxes(rng, low, high, count=40):
    """Boxes of every size, some at the ends, some points."""
    width = (high - low) * 10.0 ** rng.uniform(-9, 0, (count, 1))
    a = low + rng.random((count, 2)) * (high - low - width)
    a[:4] = low
    b = np.minimum(a + width, high)
    a[4:6], b[4:6] = low, high
    b[6:9] = a[6:9]
    return a, b


def held(form, column, t, true):
    """Whether the range, and the polynomial with its remainder, hold a value."""
    n = len(t)
    p = form.p[..., column]
    t = [mpmath.mpf(float(x)) for x in t]
    value = sum((mpmath.mpf(float(c)) * x for c, x in zip(p[1 : n + 1], t, strict=True)), mpmath.mpf(float(p[0])))
    for place, c in enumerate(p[n + 1 :]):
        value += mpmath.mpf(float(c)) * t[place // n] * t[place % n]
    if not np.isfinite(form.rem[column]):
        return True
    return form.lo[column] <= true <= form.hi[column] and abs(value - true) <= form.rem[column]


@pytest.mark.parametrize("text", FORMULAS)
def test_the_true_value_is_within_range_and_remainder(text):
    rng = np.random.default_rng(len(text))
    low, high = boxes(rng, *FORMULAS[text])
    with np.errstate(all="ignore"):
        x = Form.variables(low, high)
        form = evaluated(parsed(text), {"x": x.at(0), "y": x.at(1)})
    assert np.isfinite(form.rem).mean() > 0.9
    code = compile(exact_text(text), text, "eval")
    for box in range(len(low)):
        for t in (*rng.uniform(-1, 1, (2, 2)), np.sign(rng.normal(size=2))):
            centre, radius = x.p[0, box], np.diagonal(x.p[1:3, box])
            point = [
                mpmath.mpf(float(c)) + mpmath.mpf(float(r)) * mpmath.mpf(float(s))
                for c, r, s in zip(centre, radius, t, strict=True)
            ]
            # the polynomial's box is a hair wider than the box
            point = [
                min(max(p, mpmath.mpf(a)), mpmath.mpf(b)) for p, a, b in zip(point, low[box], high[box], strict=True)
            ]
            inside = [
                float((p - mpmath.mpf(float(c))) / mpmath.mpf(float(r))) if r else 0.0
                for p, c, r in zip(point, centre, radius, strict=True)
            ]
            point = [
                mpmath.mpf(float(c)) + mpmath.mpf(float(r)) * mpmath.mpf(s)
                for c, r, s in zip(centre, radius, inside, strict=True)
            ]
            if not all(a <= p <= b for a, p, b in zip(low[box], point, high[box], strict=True)):
                continue
            true = eval(code, {**WORDS, "mpf": mpmath.mpf, "x": point[0], "y": point[1]})
            assert held(form, box, inside, true), (text, low[box], high[box], point)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_torch(name):
    points = np.concatenate([np.linspace(-8, 8, 400), [0.0, 1.0, -1.0, 3.0, -3.0, 6.0]])[:, None]
    with np.errstate(all="ignore"):
        form = evaluated(parsed(ACTIVATIONS[name]), {"x": Form.variables(points, points)})
    true = activation_module(name)(torch.tensor(points, dtype=torch.float64)).numpy()
    assert np.abs(form.p[0] - true).max() < 1e-13
    assert (form.hi - form.lo).max() < 1e-12
    for width in (1e-3, 0.1, 3.0):
        with np.errstate(all="ignore"):
            form = evaluated(parsed(ACTIVATIONS[name]), {"x": Form.variables(points, points + width)})
        for share in (0.0, 0.3, 0.9, 1.0):
            true = activation_module(name)(torch.tensor(points + share * width, dtype=torch.float64)).numpy()
            assert ((form.lo - 1e-13 <= true) & (true <= form.hi + 1e-13)).all()


def test_numpy_is_as_exact_as_is_assumed():
    """Exp, log, sin, cos, tanh, arctan, arcsin, power and erf are right to 4 units in the last place."""
    rng = np.random.default_rng(0)
    wide = np.concatenate([rng.normal(size=300) * 10.0 ** rng.uniform(-6, 1, 300), rng.uniform(-30, 30, 100)])
    cases = {
        "exp": (np.exp, mpmath.exp, wide), "log": (np.log, mpmath.log, np.abs(wide)), "sin": (np.sin, mpmath.sin, wide),
        "cos": (np.cos, mpmath.cos, wide), "tanh": (np.tanh, mpmath.tanh, wide),
        "arctan": (np.arctan, mpmath.atan, wide), "arcsin": (np.arcsin, mpmath.asin, rng.uniform(-1, 1, 400)),
        "erf": (np.vectorize(erf), mpmath.erf, wide),
        "power": (lambda x: x**0.37, lambda x: x ** mpmath.mpf(0.37), np.abs(wide)),
        "cube": (lambda x: x**3.0, lambda x: x**3, wide), "inverse": (lambda x: x**-1.0, lambda x: 1 / x, wide),
    }  # fmt: skip
    for name, (ours, true, points) in cases.items():
        for x, y in zip(points, ours(points), strict=True):
            assert abs(mpmath.mpf(float(y)) - true(mpmath.mpf(float(x)))) <= ULPS * np.spacing(abs(y)), (name, x)


@pytest.mark.parametrize(
    "text",
    ["log(x)", "sqrt(x)", "1/x", "x**(-2)", "x**0.5", "asin(2*x)", "tanh(log(x))", "1/(x - x)", "max(log(x), 2)"],
)
def test_outside_of_its_domain_nothing_is_known(text):
    x = Form.variables(np.array([[-1.0]]), np.array([[1.0]])).at(0)
    with np.errstate(all="ignore"):
        assert not np.isfinite(evaluated(parsed(text), {"x": x}).rem).any()


def test_remainders_shrink_with_the_third_power():
    def remainder(width):
        x = Form.variables(np.array([[0.3, 0.4]]), np.array([[0.3, 0.4]]) + width)
        return float(evaluated(parsed("exp(x*y)*sin(x) + y**4"), {"x": x.at(0), "y": x.at(1)}).rem[0])

    assert 7 < remainder(0.02) / remainder(0.01) < 9


@pytest.mark.parametrize("text", ["+".join("xy" * 20), "0.1+" + "x-0.3+" * 9 + "y"])
def test_rounding_of_sums_is_counted(text):
    """On points nothing but rounding is left, and plain additions leave no slack beside it."""
    points = np.random.default_rng(0).normal(size=(200, 2)) * [1.0, 1e-3]
    x = Form.variables(points, points)
    form = evaluated(parsed(text), {"x": x.at(0), "y": x.at(1)})
    code, off = compile(exact_text(text), text, "eval"), 0
    for row, (a, b) in enumerate(points):
        true = eval(code, {"mpf": mpmath.mpf, "x": mpmath.mpf(float(a)), "y": mpmath.mpf(float(b))})
        assert held(form, row, (), true)
        off += mpmath.mpf(float(form.p[0, row])) != true
    assert off > 50


def test_affine_layers_hold_the_exact_product():
    """The sums cancel, so that their rounding is large beside what is left."""
    rng = np.random.default_rng(1)
    weights, low = rng.normal(size=(3, 50)) * 1e3, rng.normal(size=(5, 50))
    for box in range(5):
        bias = -(weights @ low[box])
        exact = Form(low[None, [box]], np.zeros((1, 50)), low[[box]], low[[box]])
        form = exact.affine(weights, bias)
        for k in range(3):
            products = (mpmath.mpf(float(w)) * mpmath.mpf(float(x)) for w, x in zip(weights[k], low[box], strict=True))
            true = mpmath.fsum(products) + mpmath.mpf(float(bias[k]))
            assert form.lo[0, k] <= true <= form.hi[0, k]
            assert abs(mpmath.mpf(float(form.p[0, 0, k])) - true) <= form.rem[0, k] < 1e-8


@pytest.mark.parametrize(
    "text",
    ["x^2", "__import__('os')", "x.real", "x[0]", "f(x)", "x if x else 1", "z", "True", "1j", "x # + 5*x", "x\n"],
)
def test_a_text_outside_of_the_language_is_refused(text):
    x = Form.variables(np.array([[0.0]]), np.array([[1.0]])).at(0)
    with pytest.raises(Unreadable):
        evaluated(parsed(text), {"x": x})
