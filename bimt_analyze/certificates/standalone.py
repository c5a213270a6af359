"""Check a bound on a box: ``python standalone.py FILE``. It needs this file, numpy and Python's own library alone.

f(x) is in f(c) + f'(X) (x - c) (Moore, "Interval analysis", 1966), with intervals for f = network - formula and for f',
at kinks Clarke's hull. A box whose bound is too weak is halved; the certificate's own proof is not used. All rounding
counts: 8 units in the last place of a result, and Higham's bound for matrix products ("Accuracy and stability", 3.1).
Assumed: IEEE doubles; 4 units for numpy's functions and Python's erf; that numbers below 1e-290 do not matter.
"""

import ast
import hashlib
import json
import re
import sys
from fractions import Fraction
from functools import partial, reduce
from math import erf, pi
from typing import Any

import numpy as np

ROUND, STEEP, UP, MOST, CHUNK = 2.0**-49, 2.0**-46, 1 + 2.0**-40, 1_000_000, 1024  # MOST boxes, CHUNK at once


class Refused(ValueError):
    """The file does not prove what it says."""


class Boxes:
    """What is known on boxes: [-lowest and highest, range and central value and slopes, boxes, quantities], or NaN."""

    def __init__(self, low: Any, high: Any) -> None:
        centre, n = low / 2 + high / 2, low.shape[1]
        rows = [centre, *np.broadcast_to(np.eye(n)[:, None], (n, *low.shape))]
        self.x = np.stack([-np.stack([low, *rows]), np.stack([high, *rows])])
        self.radius = (np.maximum(high - centre, centre - low) * UP).T[:, :, None]
        self.names = {"pi": self._constant(pi, 2.0**-51), "E": self._constant(np.e, 2.0**-51)}

    def _constant(self, value: Any, error: float = 0.0) -> Any:
        a = np.zeros((*self.x.shape[:3], np.size(value)))
        a[0, :2], a[1, :2] = error - np.asarray(value), error + np.asarray(value)
        return a

    def _rounded(self, a: Any) -> Any:
        a = a + ROUND * abs(a)
        reach = a[:, 1] + (np.where(self.radius > 0, a[:, 2:].max(0), 0) * self.radius).sum(0) * UP
        reach += ROUND * (abs(reach) + 2 * abs(a[:, 1]))
        a[:, 0] = np.where(np.isnan(a[:, 0]), np.nan, np.fmin(a[:, 0], reach))
        return a

    def _product(self, a: Any, b: Any) -> Any:
        corners = [a[0] * b[0], -a[0] * b[1], -a[1] * b[0], a[1] * b[1]]
        ends = np.stack([-np.minimum.reduce(corners), np.maximum.reduce(corners)])
        return ends + ROUND * abs(ends)

    def _times(self, a: Any, b: Any) -> Any:
        slope = self._product(a[:, :1], b[:, 2:]) + self._product(a[:, 2:], b[:, :1])
        return self._rounded(np.concatenate([self._product(a[:, :2], b[:, :2]), slope], 1))

    def _affine(self, a: Any, weights: Any, bias: Any) -> Any:
        middle, radius, unit = (a[1] - a[0]) / 2, (a[1] + a[0]) / 2 * UP, (len(weights[0]) + 4) * 2.0**-51
        bias = bias * (np.arange(len(middle)) < 2)[:, None, None]
        reach = (radius + unit * (abs(middle) + radius)) @ abs(weights.T) * UP + unit * abs(bias)
        middle = middle @ weights.T + bias
        return self._rounded(np.stack([reach - middle, reach + middle]))

    def _range(self, f: Any, a: Any, turns: Any) -> Any:
        turns = turns(-a[0]) if callable(turns) else turns
        values = [f(-a[0]), f(a[1]), *(f(np.clip(x, -a[0], a[1])) for x in turns)]
        return np.stack([-np.minimum.reduce(values), np.maximum.reduce(values)])

    def _through(self, a: Any, f: Any, slope: Any, turns: Any, slope_turns: Any, defined: Any = np.less_equal) -> Any:
        value, steep = self._range(f, a[:, :2], turns), self._range(slope, a[:, :1], slope_turns)
        value = np.where(defined(-a[0, :2], a[1, :2]), value, np.nan)
        return self._rounded(np.concatenate([value, self._product(steep + STEEP * (1 + abs(steep)), a[:, 2:])], 1))

    def _power(self, a: Any, e: float) -> Any:
        known = (-a[0, :2] > 0) | ((e == int(e)) & ((a[1, :2] < 0) | (e > 0))) | ((e > 0) & (a[0, :2] <= 0))
        return self._through(a, lambda x: x**e, lambda x: e * x ** (e - 1), (0,), (0,), lambda lo, hi: known)

    def _apply(self, name: str, *given: Any) -> Any:
        if name in TEXTS:
            letters, text = TEXTS[name].split(": ")
            return self._formula(text, dict(zip(letters, given, strict=True)))
        return STEPS[name](self, *given) if name in STEPS else (lambda a: self._through(a, *FUNCTIONS[name]))(*given)

    def _formula(self, node: Any, names: Any) -> Any:
        match ast.parse(REMARK.sub("?", node), mode="eval").body if isinstance(node, str) else node:
            case ast.Name(id=name):
                return names[name] if name in names else self.names[name]
            case ast.Constant(value=int() | float() as v):
                return self._constant(float(v), abs(v) * 2.0**-52 * (Fraction(repr(v)) != Fraction(float(v))))
            case ast.BinOp(left=a, op=ast.Pow(), right=b) if EXACT.fullmatch(e := ast.unparse(b).replace(" ", "")):
                return self._power(self._formula(a, names), float(Fraction(e)))
            case (ast.UnaryOp(op=op) | ast.BinOp(op=op)) as of:
                name, parts = type(op).__name__, [x for x in ast.iter_child_nodes(of) if isinstance(x, ast.expr)]
            case ast.Call(func=ast.Name(id=name), args=[_, *_] as parts, keywords=[]):
                pass
            case other:
                raise Refused(f"a formula with what is not known here: {ast.unparse(other)[:60]}")
        given, name = [self._formula(part, names) for part in parts], name.lower()
        return self._apply(name, *given) if name not in ("max", "min") else reduce(partial(self._apply, name), given)


EXACT, REMARK = re.compile(r"-?\d{1,3}(\.[05]?|/[248])?"), re.compile(r"#|[^\S ]")  # exponents; no text
STEPS: Any = {"add": lambda at, a, b: at._rounded(a + b), "mult": Boxes._times, "usub": lambda at, a: a[::-1]}
FUNCTIONS: dict[str, Any] = {  # with derivative, the places where each of them turns, and where they are defined
    "exp": (np.exp, np.exp, (), ()), "sinh": (np.sinh, np.cosh, (), (0,)), "cosh": (np.cosh, np.sinh, (0,), ()),
    "sin": (np.sin, np.cos, *[lambda lo: [np.ceil(lo / pi * 2 + k) * pi / 2 for k in range(4)]] * 2,
            lambda lo, hi: np.maximum(-lo, hi) < 1e6),
    "log": (np.log, lambda x: 1 / x, (), (), lambda lo, hi: lo > 0), "abs": (np.abs, np.sign, (0,), ()),
    "asin": (np.arcsin, lambda x: ((1 - x) * (1 + x)) ** -0.5, (), (0,), lambda lo, hi: np.maximum(-lo, hi) <= 1),
    "tanh": (np.tanh, lambda x: np.cosh(x) ** -2.0, (), (0,)), "atan": (np.arctan, lambda x: 1 / (1 + x * x), (), (0,)),
    "erf": (np.vectorize(erf, otypes=[float]), lambda x: 2 / pi**0.5 * np.exp(-x * x), (), (0,)),
    "silu": (lambda x: x / (1 + np.exp(-x)), lambda x: (1 + x / (1 + np.exp(x))) / (1 + np.exp(-x)),
             (-1.2784645427610738,), (-2.399357280515468, 2.399357280515468)),
}  # fmt: skip
TEXTS = {
    "sub": "xy: x + -y", "div": "xy: x*y**-1", "pow": "xy: exp(log(x)*y)", "ln": "x: log(x)", "tan": "x: sin(x)/cos(x)",
    "max": "xy: (x + y + abs(x - y))/2", "min": "xy: (x + y - abs(x - y))/2", "acos": "x: pi/2 - asin(x)",
    "sqrt": "x: x**0.5", "cos": "x: sin(x + pi/2)", "identity": "x: x", "relu": "x: max(x, 0)", "celu": "x: elu(x)",
    "gelu": "x: x*(1 + erf(x/sqrt(2)))/2", "gelu_tanh": "x: x*sigmoid(sqrt(8/pi)*(x + 0.044715*x**3))",
    "sigmoid": "x: (1 + tanh(x/2))/2", "relu6": "x: min(max(x, 0), 6)", "leaky_relu": "x: max(x, 0.01*x)",
    "elu": "x: max(x, 0) + exp(min(x, 0)) - 1", "softplus": "x: log(1 + exp(x))", "softsign": "x: x/(1 + abs(x))",
    "selu": "x: 1.0507009873554805*max(x, 0) + 1.7580993408473766*(exp(min(x, 0)) - 1)",
    "mish": "x: x*tanh(softplus(x))", "tanhshrink": "x: x - tanh(x)", "hardtanh": "x: max(min(x, 1), -1)",
    "hardsigmoid": "x: relu6(x + 3)/6", "hardswish": "x: x*relu6(x + 3)/6", "logsigmoid": "x: -softplus(-x)",
}  # fmt: skip


def _must(condition: Any, otherwise: str) -> None:
    if not condition:
        raise Refused(otherwise)


def _numbers(text: str, count: int) -> Any:
    found = [float.fromhex(word) for word in text.split()]
    exact = " ".join(map(float.hex, found)) == text and np.isfinite(found).all()
    _must(exact and len(found) == count > 0, f"no {count} finite numbers as float.hex writes them: {text[:60]}")
    return np.array(found)


def _difference(claim: Any, said: Any, low: Any, high: Any) -> Any:
    boxes, k, sizes = Boxes(low, high), said["outputs"].index(claim["output"]), (low.shape[1], len(said["outputs"]))
    of = {key: boxes._constant(_numbers(said[key], sizes[key[0] == "o"])) for key in said if "put_" in key}
    x = boxes._formula("(x - input_shift)/input_scale", of | {"x": boxes.x})
    for layer in said["layers"]:
        weights = np.stack([_numbers(row, x.shape[-1]) for row in layer["weights"]])
        x = boxes._apply(layer["activation"], boxes._affine(x, weights, _numbers(layer["bias"], len(weights))))
    _must(x.shape[-1] == len(set(said["outputs"])) == sizes[1] and said["tokens"] == 0, "layers that do not fit")
    x = boxes._formula("x*output_scale + output_shift", of | {"x": x})
    formula = boxes._formula(claim["formula"], {name: boxes.x[..., [i]] for i, name in enumerate(claim["inputs"])})
    return boxes._rounded(x[..., [k]] + formula[::-1])[..., 0]


def _bound(claim: Any, network: Any) -> str:
    n, tried = len(set(claim["inputs"])), 0
    low, high, point = (_numbers(claim[key], n)[None] for key in ("low", "high", "point"))
    (bound,), (reached,), whole = _numbers(claim["bound"], 1), _numbers(claim["reached"], 1), high - low
    _must((whole > 0).all() and ((low <= point) & (point <= high)).all(), "an empty box, or a point outside")
    least = (-_difference(claim, network, point, point)[:, 0]).max(initial=0)
    _must(0 <= reached <= least, f"only {least} is reached at the point")
    while len(low):
        a, b, low, high, tried = low[-CHUNK:], high[-CHUNK:], low[:-CHUNK], high[:-CHUNK], tried + len(low[-CHUNK:])
        _must(tried <= MOST, f"the bound could not be proved with {MOST} boxes")
        known = _difference(claim, network, a, b)
        over, wrong = ~(known[:, 0] <= bound).all(0), ~((-known[:, 1]).max(0) <= bound)
        _must(not wrong.any(), f"a larger difference, or none that is known, at {((a + b) / 2)[wrong][:1].tolist()}")
        unsure = (known[:, 2:].sum(0).T + 1e-9) * (b - a)
        unsure = np.where(np.isfinite(unsure).all(1, keepdims=True), unsure, (b - a) / whole)
        a, b, half = a[over], b[over], np.eye(n, dtype=bool)[unsure.argmax(1)[over]]
        low = np.concatenate([low, a, np.where(half, a / 2 + b / 2, a)])
        high = np.concatenate([high, np.where(half, a / 2 + b / 2, b), b])
    return f"|network - ({claim['formula']})| <= {float(bound)!r} on the whole box, by {tried} boxes"


def check(data: bytes) -> str:
    """What the ``data`` of a certificate prove, in a line; `Refused` if nothing, another ValueError if it is none."""
    said = json.loads(data)
    if not isinstance(said, dict) or said.get("format") != "bimt certificate 1":
        raise ValueError("no certificate of the format 'bimt certificate 1'")
    try:
        parts = said, {key: said[key] for key in said if key != "digest"}, said["network"]
        texts = [json.dumps(part, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n" for part in parts]
        digests = [hashlib.sha256(text).hexdigest() for text in texts[1:]]
        _must(texts[0] == data and digests == [said["digest"], said["network_digest"]], "changed since it was written")
        _must("values" not in said["claim"], "no bound on a box: finite domains are not read here")
        with np.errstate(all="ignore"):
            return _bound(said["claim"], said["network"])
    except Exception as error:
        raise error if isinstance(error, Refused) else Refused(f"a malformed field: {error!r}"[:200]) from None


if __name__ == "__main__":
    try:
        with open(sys.argv[1], "rb") as file:
            sys.stdout.write(f"proved: {check(file.read())}\n")
    except (ValueError, OSError, IndexError) as error:
        sys.stderr.write(f"{'not proved' if isinstance(error, Refused) else 'error'}: {error}\n")
        sys.exit(1 if isinstance(error, Refused) else 2)
