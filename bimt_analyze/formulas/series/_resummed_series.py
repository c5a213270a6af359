"""Functions whose series begins like a polynomial that is part of a formula."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import permutations

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._budget import Budget
from ..problem._template import Template, node_count, numeric
from ..symbolic._restated import expanded_terms

Matrix = Float64[np.ndarray, "rows inputs"]
Values = Float64[np.ndarray, "rows"]

_T = sympy.Symbol("_t", real=True)
_HIGHEST = 12  # power of a polynomial that may be a series
_DROPPED = 1e-2  # relative size of a constant that is left over, and may be none
_MOST_INPUTS = 8  # of a formula that is looked at
_FOLLOWED = 0.05  # of y's deviation: what a function that follows a polynomial may leave
_LEVEL = 0.01  # of y's deviation: what a constant of its own must be worth
_RATES = tuple(float(sign * rate) for rate in np.geomspace(0.2, 12.0, 16) for sign in (1, -1))  # over the range of s
_SOME = 200  # rows that a function is first held against
_MOST_EXPANDED = 1000  # terms of a formula that is multiplied out: sympy may take minutes over more
_MOST_COMBINED = 4  # inputs, of which products and quotients are looked at


@dataclass(frozen=True)
class _Function:
    """A function, its values, and of its Taylor series at zero the constant and two orders with their coefficients."""

    expression: sympy.Expr
    values: Callable[[Values], Values]
    level: float
    first: tuple[int, float]
    second: tuple[int, float]


_FUNCTIONS = (
    _Function(sympy.exp(_T), np.exp, 1, (1, 1), (2, 1 / 2)),
    _Function(sympy.sin(_T), np.sin, 0, (1, 1), (3, -1 / 6)),
    _Function(sympy.cos(_T), np.cos, 1, (2, -1 / 2), (4, 1 / 24)),
    _Function(sympy.tanh(_T), np.tanh, 0, (1, 1), (3, -1 / 3)),
    _Function(sympy.sinh(_T), np.sinh, 0, (1, 1), (3, 1 / 6)),
    _Function(sympy.cosh(_T), np.cosh, 1, (2, 1 / 2), (4, 1 / 24)),
    _Function(sympy.tan(_T), np.tan, 0, (1, 1), (3, 1 / 3)),
    _Function(sympy.atan(_T), np.arctan, 0, (1, 1), (3, -1 / 3)),
    _Function(sympy.asinh(_T), np.arcsinh, 0, (1, 1), (3, -1 / 6)),
    _Function(sympy.log(1 + _T), np.log1p, 0, (1, 1), (2, -1 / 2)),
    _Function(sympy.sqrt(1 + _T), lambda t: np.sqrt(1 + t), 1, (1, 1 / 2), (2, -1 / 8)),
    _Function(1 / (1 + _T), lambda t: 1 / (1 + t), 1, (1, -1), (2, 1)),
    _Function(1 / sympy.sqrt(1 + _T), lambda t: 1 / np.sqrt(1 + t), 1, (1, -1 / 2), (2, 3 / 8)),
    _Function((1 + _T) ** 2, lambda t: (1 + t) ** 2, 1, (1, 2), (2, 1)),
    _Function((1 + _T) ** 3, lambda t: (1 + t) ** 3, 1, (1, 3), (2, 3)),
    _Function((1 + _T) ** -2, lambda t: (1 + t) ** -2, 1, (1, -2), (2, 3)),
    _Function(sympy.exp(-(_T**2)), lambda t: np.exp(-(t**2)), 1, (2, -1), (4, 1 / 2)),
    _Function(1 / (1 + _T**2), lambda t: 1 / (1 + t**2), 1, (2, -1), (4, 1)),
    _Function(1 / (1 - _T**2), lambda t: 1 / (1 - t**2), 1, (2, 1), (4, 1)),
    _Function(sympy.sqrt(1 + _T**2), lambda t: np.sqrt(1 + t**2), 1, (2, 1 / 2), (4, -1 / 8)),
    _Function(sympy.sqrt(1 - _T**2), lambda t: np.sqrt(1 - t**2), 1, (2, -1 / 2), (4, -1 / 8)),
    _Function(1 / sympy.sqrt(1 + _T**2), lambda t: 1 / np.sqrt(1 + t**2), 1, (2, -1 / 2), (4, 3 / 8)),
    _Function(1 / sympy.sqrt(1 - _T**2), lambda t: 1 / np.sqrt(1 - t**2), 1, (2, 1 / 2), (4, 3 / 8)),
    _Function(sympy.log(1 + _T**2), lambda t: np.log1p(t**2), 0, (2, 1), (4, -1 / 2)),
    _Function(_T / (sympy.exp(_T) - 1), lambda t: t / np.expm1(t), 1, (1, -1 / 2), (2, 1 / 12)),
    _Function(_T / sympy.tanh(_T), lambda t: t / np.tanh(t), 1, (2, 1 / 3), (4, -1 / 45)),
    _Function(_T / sympy.sin(_T), lambda t: t / np.sin(t), 1, (2, 1 / 6), (4, 7 / 360)),
)


def resummed_series(
    expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix, *, unit: float, budget: Budget, near: float = 1e-2
) -> Iterator[tuple[Template, str]]:
    """Templates that agree with a formula in the two lowest orders of a polynomial in one input, or in two.

    In a formula g + G (c0 + c1 s + c2 s**2 + ...), with G free of s, the bracket becomes A h(b s) or A h(b s) + c for
    every h of a list, with A and b from the two lowest orders of h, or from the one order there is and b = 1.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.
    unit : float
        The deviation of y.
    budget : Budget
        Is charged, and ends it.
    near : float, default 1e-2
        In deviations of y: how near a template must come to the formula before its constants are fitted.
    """
    padded: list[tuple[Template, str]] = []  # with a constant that only makes up for the function's value at zero
    for bracket in _brackets(expression, symbols, x, combined=True, budget=budget):
        for function in _FUNCTIONS:
            for amplitude, rate, level in _matches(function, bracket.powers):
                budget.charge("columns", 10 * len(x))
                with np.errstate(all="ignore"):
                    values = amplitude * function.values(rate * bracket.s) + level
                    miss = np.max(np.abs(bracket.weight * (values - bracket.values)))
                if not miss <= near * unit:
                    continue
                found = bracket.template(function, amplitude, rate, level), f"its series begins so in {bracket.name}"
                budget.charge("build", node_count(expression))
                if level:
                    padded.append(found)
                else:
                    yield found
    yield from padded


def opened(expression: sympy.Expr) -> Template:
    """The expression with its decimals as open constants: they were fitted beside another form.

    Parameters
    ----------
    expression : sympy.Expr
        With decimals, or without.
    """
    dummies = {n: sympy.Dummy("d", real=True) for n in sorted(expression.atoms(sympy.Float), key=str)}
    start = {dummy: float(number) for number, dummy in dummies.items()}
    return Template(expression.xreplace(dummies), start)


def followed_functions(
    expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix, *, unit: float, budget: Budget
) -> Iterator[Template]:
    """Templates in which a polynomial in one input is replaced by a function that follows it on the rows.

    Where noise or a low degree has spoilt the coefficients of a series, its values still show the function. Each
    function of a list is fitted to the bracket c0 + c1 s + c2 s**2 + ... as A h(b s) and A h(b s) + c, with b from a
    grid over the range of s; the nearest come first.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.
    unit : float
        The deviation of y.
    budget : Budget
        Is charged, and ends it.
    """
    found: list[tuple[float, Callable[[], Template]]] = []  # most are never asked for
    for bracket in _brackets(expression, symbols, x, combined=False, budget=budget):
        if sum(power > 0 for power in bracket.powers) < 2:
            continue
        for function in _FUNCTIONS:
            for with_level in (False, True):
                budget.charge("columns", 8 * len(_RATES) * min(_SOME, len(x)), calls=3)
                miss, amplitude, rate, level = _followed(bracket, function, with_level)
                if miss <= _FOLLOWED * unit:
                    budget.charge("build", node_count(expression))
                    build = partial(bracket.template, function, amplitude, rate, level)
                    found.append((miss + _LEVEL * unit * with_level, build))
    yield from (build() for _, build in sorted(found, key=lambda pair: pair[0]))


@dataclass(frozen=True)
class _Bracket:
    """A polynomial that is part of a formula: on the rows, and what stands around it."""

    variable: sympy.Symbol
    back: dict[sympy.Symbol, sympy.Expr]
    pole: bool
    rest: sympy.Expr
    factor: sympy.Expr
    powers: dict[int, float]
    s: Values
    weight: Values
    values: Values

    @property
    def name(self) -> str:
        """The variable, in the names of the inputs."""
        return str(self.back.get(self.variable, self.variable))

    def template(self, function: _Function, amplitude: float, rate: float, level: float) -> Template:
        """The formula with A h(b s) + c in place of the polynomial, its decimals open too.

        Parameters
        ----------
        function : _Function
            The function h.
        amplitude : float
            Where A starts.
        rate : float
            Where b starts.
        level : float
            Where c starts; there is none if it is 0.
        """
        a, b, c = (sympy.Dummy(name, real=True) for name in "abc")
        inner = a * function.expression.xreplace({_T: b * self.variable}) + (c if level else 0)
        shape = (self.factor * inner + self.rest) / (self.variable if self.pole else 1)
        whole = opened(shape.xreplace(self.back))
        return Template(whole.expression, {a: amplitude, b: rate} | ({c: level} if level else {}) | dict(whole.start))


def _brackets(
    expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix, *, combined: bool, budget: Budget
) -> Iterator[_Bracket]:
    """Each polynomial in an input, and where asked in a product or quotient of two, that is part of a formula."""
    used = [s for s in symbols if s in expression.free_symbols][:_MOST_INPUTS]
    for variable, seen, back in _variables(expression, used, combined=combined):
        budget.charge("expand", node_count(seen))
        if budget.over():
            return
        pole = seen.has(1 / variable)  # a Laurent series is a power series once it is multiplied by its variable
        s = numeric(back.get(variable, variable), symbols)(x)
        for rest, factor, powers in _polynomials(sympy.expand(seen * variable) if pole else seen, variable):
            weight = numeric(factor.xreplace(back), symbols)(x)
            budget.charge("lambdify", node_count(factor))
            with np.errstate(all="ignore"):
                values = np.sum([number * s**power for power, number in powers.items()], axis=0)
                yield _Bracket(variable, back, pole, rest, factor, powers, s, weight / s if pole else weight, values)


def _followed(bracket: _Bracket, function: _Function, with_level: bool) -> tuple[float, float, float, float]:
    """What a function leaves of a bracket at best, its amplitude, its rate, and the constant beside it."""
    some = slice(None, None, max(1, len(bracket.s) // _SOME))
    s, weight, target = bracket.s[some], bracket.weight[some], (bracket.weight * bracket.values)[some]
    rates = np.array(_RATES) / float(np.max(np.abs(s)))
    with np.errstate(all="ignore"):
        columns = function.values(s[:, None] * rates) * weight[:, None]
        own, with_target = np.sum(columns**2, axis=0), target @ columns
        if with_level:
            beside, ones, level_target = weight @ columns, float(weight @ weight), float(weight @ target)
            determinant = own * ones - beside**2
            amplitudes = (with_target * ones - beside * level_target) / determinant
            levels = (own * level_target - beside * with_target) / determinant
        else:
            amplitudes, levels = with_target / own, np.zeros(len(rates))
        left = amplitudes * columns + levels * weight[:, None] - target[:, None]
        misses = np.sqrt(np.mean(left**2, axis=0))
    best = int(np.argmin(np.where(np.isfinite(misses), misses, np.inf)))
    miss = float(misses[best]) if np.isfinite(misses[best]) else np.inf
    return miss, float(amplitudes[best]), float(rates[best]), float(levels[best])


def _variables(
    expression: sympy.Expr, used: list[sympy.Symbol], *, combined: bool
) -> Iterator[tuple[sympy.Symbol, sympy.Expr, dict[sympy.Symbol, sympy.Expr]]]:
    """What the formula may be a polynomial in, the formula in it, and the way back to the inputs."""
    if expanded_terms(expression) > _MOST_EXPANDED:
        return
    seen = sympy.expand(expression)
    for symbol in used:
        yield symbol, seen, {}
        if seen.has(1 / symbol):
            t = sympy.Dummy("t", real=True)
            yield t, sympy.expand(seen.subs(symbol, 1 / t)), {t: 1 / symbol}
    if not combined or len(used) > _MOST_COMBINED:
        return
    for first, second in permutations(used, 2):
        s = sympy.Dummy("s", real=True)
        for whole in (first * second, first / second) if str(first) < str(second) else (first / second,):
            solved = s / second if whole == first * second else s * second
            written = sympy.expand(expression.xreplace({first: solved}))
            if written.has(s) and first not in written.free_symbols:
                yield s, written, {s: whole}


def _polynomials(
    expression: sympy.Expr, variable: sympy.Symbol
) -> Iterator[tuple[sympy.Expr, sympy.Expr, dict[int, float]]]:
    """Each polynomial times a common factor: what else there is, the factor, and the number at each power."""
    groups: dict[sympy.Expr, dict[int, float]] = {}
    every = sympy.Add.make_args(expression)
    terms = [_split(term, variable) for term in every]
    for split in terms:
        if split is not None:
            number, factor, power = split
            group = groups.setdefault(factor, {})
            group[power] = group.get(power, 0.0) + number
    for factor, powers in groups.items():
        if any(powers):
            pairs = zip(every, terms, strict=True)
            yield sympy.Add(*(term for term, split in pairs if split is None or split[1] != factor)), factor, powers


def _split(term: sympy.Expr, variable: sympy.Symbol) -> tuple[float, sympy.Expr, int] | None:
    """A term as a number times a factor free of the variable times one of its powers; None for any other."""
    free, dependent = term.as_independent(variable, as_Add=False)
    base, exponent = dependent.as_base_exp()
    if dependent == 1:
        exponent = sympy.Integer(0)
    elif base != variable or not exponent.is_Integer or not 0 < exponent <= _HIGHEST:
        return None
    number, factor = free.as_coeff_Mul()
    return (float(number), factor, int(exponent)) if number.is_real else None


def _matches(function: _Function, powers: dict[int, float]) -> Iterator[tuple[float, float, float]]:
    """Amplitude and rate of a function whose series begins so, and the constant that makes up for its value at zero."""
    (first, one), (second, other), level = function.first, function.second, powers.get(0, 0.0)
    if not powers.get(first):
        return
    rates = {1.0}
    if powers.get(second):
        rates = _roots(powers[second] / powers[first] * one / other, second - first)
    elif level != 0.0 and function.level != 0.0:
        rates |= _roots(powers[first] / level * function.level / one, first)
    for rate in rates:
        amplitude = powers[first] / (one * rate**first)
        left = level - amplitude * function.level
        if abs(left) <= _DROPPED * max(abs(level), abs(amplitude)):
            yield amplitude, rate, 0.0
        if left != 0.0:
            yield amplitude, rate, left


def _roots(value: float, degree: int) -> set[float]:
    """The real root of a number that is not zero, the positive one of two; none where there is none."""
    if not np.isfinite(value) or value == 0.0 or (value < 0 and degree % 2 == 0):
        return set()
    return {float(np.sign(value) * abs(value) ** (1 / degree))}
