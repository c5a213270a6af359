"""The verification of a formula: its rows, its truth, and numbers on fresh points within and beyond the range."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError

from ._candidate import UNEXPLAINED
from ._fidelity import FAITHFUL, divergence
from ._formula import Formula, NumericCheck, Predictor, Verification
from ._searched_rows import check_rows
from .problem._search_problem import deviation, rounding
from .symbolic._equality import Equality, fifty_digits, same_function

FRESH = 1e-9  # relative error on fresh points that constants in double precision may leave
_POINTS = 1000  # fresh ones, within the ranges and in ranges twice as wide
_WORST_ROWS = 12  # at which the formula's own rounding is measured: fifty digits are slow
_FEWEST = 10  # rows below which agreement shows nothing
_NO_TRUTH = Equality("no truth", "none known")


def verify_formula(
    formula: Formula,
    *,
    x_test: Float64[np.ndarray, "held inputs"],
    y_test: Float64[np.ndarray, "held"],
    truth: sympy.Expr | None,
    ranges: Sequence[tuple[float, float]],
    network: Predictor | None = None,
    terms: Sequence[frozenset[str]] = (),
    seed: int = 0,
) -> Formula:
    """The formula with its verification, and ``exact`` decided.

    Parameters
    ----------
    formula : Formula
        As `find_formula` gave it.
    x_test : array of shape [held, inputs]
        Held-out rows, their columns in the order of ``formula.inputs``; there may be none.
    y_test : array of shape [held]
        The output on them.
    truth : sympy.Expr or None
        The known formula, in the same names; None where none is known.
    ranges : sequence of (float, float)
        Least and largest value of each input, between which fresh points are drawn.
    network : callable, optional
        The network's prediction of this output, from [rows, inputs] to [rows].
    terms : sequence of frozenset of str, optional
        The additive terms of the circuit, over which a difference to the network is split; single inputs without them.
    seed : int, default 0
        Of the fresh points.

    Returns
    -------
    Formula
        With ``exact``, ``message`` and ``verification``.

    Raises
    ------
    InputError
        For held-out rows or ranges of the wrong size, or a truth in unknown names.

    Notes
    -----
    ``exact`` is True only if

    1. the largest residual on the training rows and on the held-out rows is no more than rounding explains: 1e-11 of
       y's deviation plus 16 ulp of its largest value. Data in double precision meet their own formula to about 1e-15;
       the four orders between are for cancellation inside the formula. A true term of 1e-10 that is missing shows;
    2. where a truth is known: formula - truth is zero as a function (see `same_function`), and both agree to 1e-9 on
       1,000 fresh points in ``ranges`` and 1,000 in ranges twice as wide. Points where the truth is not finite are left
       out and counted;
    3. where none is known: the held-out rows are met to what this very formula loses in double precision (a missing
       term of 1e-12 shows where nothing cancels); there are at least ten training and ten held-out rows; at most
       three constants have no simple name, since a longer formula may be a series standing in for a function; and the
       rows fix those to six digits, since a steep tanh stands in for a step. Then exact rests on those rows, and the
       statement says so.

    A numeric check is no proof: it can refute a formula, and otherwise only supports it.

    Agreement with the network is reported, and decides nothing: a network is an approximation. Where a formula that
    is not exact has an r2 below 0.999 against it, the part that it misses most is told (`Divergence`).

    Examples
    --------
    >>> from bimt_analyze.formulas import find_formula
    >>> x = np.random.default_rng(0).uniform(size=(60, 2))
    >>> y = x[:, 0] * x[:, 1]
    >>> formula = find_formula(x[:40], y[:40], names=["x1", "x2"], output="y", time_limit=5)
    >>> verified = verify_formula(formula, x_test=x[40:], y_test=y[40:], truth=None, ranges=[(0, 1)] * 2)
    >>> verified.exact, verified.verification.canonical
    (True, 'no truth')
    """
    check_rows(x_test, y_test, formula.inputs, where=f"held-out rows of {formula.output!r}", fewest=0)
    if len(ranges) != len(formula.inputs):
        raise InputError(
            "wrong number of ranges",
            where="verify_formula",
            expected=f"one pair for each of {formula.inputs}",
            got=str(len(ranges)),
        )
    held, bound = _held(formula, x_test, y_test)
    if truth is None and held <= bound and len(y_test):
        bound = min(bound, _own_rounding(formula, x_test, y_test))
    unit = deviation(y_test) if len(y_test) else 1.0
    equality, inside, outside = _NO_TRUTH, None, None
    if truth is not None:
        truth = _named(truth, formula)
        pairs = dict(zip(formula.inputs, ranges, strict=True))
        equality = same_function(formula.expression, truth, ranges=pairs, seed=seed)
        inside = numeric_check(formula, truth, ranges, unit=unit, seed=seed)
        wide = [(1.5 * low - 0.5 * high, 1.5 * high - 0.5 * low) for low, high in ranges]
        outside = numeric_check(formula, truth, wide, unit=unit, seed=seed + 1)
    against = None if network is None else _network_r2(formula, network, ranges, seed)
    verification = Verification(
        train=formula.worst,
        held=held,
        bound=max(formula.bound, bound),
        canonical=equality.canonical,
        method=equality.method,
        inside=inside,
        outside=outside,
        network=against,
        statement="",
    )
    wrong = _objections(formula, verification, bound, len(y_test))
    statement = wrong[0] if wrong else _statement(verification, formula, len(y_test))
    missed = None
    if wrong and network is not None and against is not None and against < FAITHFUL and formula.inputs:
        x = _points(ranges, seed + 3)
        missed = divergence(formula.predict, network, x, names=formula.inputs, groups=terms, seed=seed)
        statement += f"; r2 {against:.4f} against the network: {missed.words()}"
    return replace(
        formula,
        exact=not wrong,
        message="; ".join(wrong) or "exact",
        verification=replace(verification, statement=statement, divergence=missed),
    )


def numeric_check(
    formula: Formula, truth: sympy.Expr, ranges: Sequence[tuple[float, float]], *, unit: float, seed: int
) -> NumericCheck:
    """The largest |formula - truth| / (|truth| + unit) on 1,000 uniform points.

    Parameters
    ----------
    formula : Formula
        What is checked.
    truth : sympy.Expr
        The known formula, in real symbols of the formula's inputs.
    ranges : sequence of (float, float)
        Where each input's points are drawn.
    unit : float
        The deviation of y, which keeps a truth near zero from making every error large.
    seed : int
        Of the points.
    """
    x = _points(ranges, seed)
    symbols = [sympy.Symbol(name, real=True) for name in formula.inputs]
    expected = replace(formula, expression=truth).predict(x) if symbols else np.full(len(x), float(truth))
    counted = np.isfinite(expected)
    with np.errstate(all="ignore"):
        error = np.abs(formula.predict(x) - expected)[counted] / (np.abs(expected[counted]) + unit)
    error[~np.isfinite(error)] = np.inf
    worst = float(np.max(error)) if len(error) else float("inf")
    return NumericCheck(int(counted.sum()), int((~counted).sum()), worst)


def _held(
    formula: Formula, x: Float64[np.ndarray, "held inputs"], y: Float64[np.ndarray, "held"]
) -> tuple[float, float]:
    """The largest residual on the held-out rows and the bound on it, over their deviation; (0, 0) without rows."""
    if len(y) == 0:
        return 0.0, 0.0
    unit = deviation(y)
    with np.errstate(all="ignore"):
        worst = float(np.max(np.abs(y - formula.predict(x)))) / unit
    return (worst if np.isfinite(worst) else float("inf")), max(rounding(y) / unit, formula.bound)


def _own_rounding(formula: Formula, x: Float64[np.ndarray, "held inputs"], y: Float64[np.ndarray, "held"]) -> float:
    """The largest residual over y's deviation that this formula's own rounding can explain.

    64 ulp of y's largest value, or a hundred times what double precision loses against 50 digits on the rows that
    are worst, whichever is more.
    """
    value = formula.predict(x)
    symbols = [sympy.Symbol(name, real=True) for name in formula.inputs]
    lost = 64 * float(np.finfo(np.float64).eps) * max(float(np.max(np.abs(y))), deviation(y))
    for row in np.argsort(-np.abs(y - value))[:_WORST_ROWS]:
        exact = fifty_digits(
            formula.expression, {s: sympy.Float(float(v), 17) for s, v in zip(symbols, x[row], strict=True)}
        )
        if exact is not None:
            lost = max(lost, 100 * abs(float(exact - sympy.Float(float(value[row]), 30))))
    return lost / deviation(y)


def _objections(formula: Formula, verification: Verification, held_bound: float, held_rows: int) -> list[str]:
    """What speaks against calling the formula exact, the gravest first."""
    found = []
    if not formula.fits:
        found.append(formula.shortfall)
    if verification.held > held_bound:
        found.append(
            f"not exact: residual {verification.held:.1e} of y's deviation on a held-out row, where rounding explains "
            f"{held_bound:.0e}"
        )
    if verification.canonical in ("different", "undecided"):
        found.append(f"not exact: canonical form {verification.canonical} ({verification.method})")
    for place, seen in (("inside the range", verification.inside), ("in a range twice as wide", verification.outside)):
        if seen is not None and not seen.worst <= FRESH:
            found.append(f"not exact: off by {seen.worst:.1e} on fresh points {place}")
    if verification.canonical == "no truth":
        if formula.unexplained > UNEXPLAINED:
            found.append(
                f"not called exact: it meets the rows, but {formula.unexplained} of its constants are no simple "
                "numbers, so it may be a series standing in for a function"
            )
        if not all(constant.known for constant in formula.constants):
            found.append("not called exact: it meets the rows, but they leave a constant of it open")
        if min(formula.rows, held_rows) < _FEWEST:
            found.append(f"not called exact: {formula.rows} training and {held_rows} held-out rows decide nothing")
    return found


def _statement(verification: Verification, formula: Formula, held: int) -> str:
    """One sentence for a formula that is exact: what that rests on."""
    if verification.inside is None or verification.outside is None:
        count = formula.unexplained
        known = f"; {count} of its constants are known as decimals only" if count else ""
        return (
            f"no truth known: exact rests on {formula.rows} training and {held} held-out rows, met to "
            f"{max(verification.train, verification.held):.0e} of y's deviation{known}"
        )
    inside, outside = verification.inside, verification.outside
    out = inside.left_out + outside.left_out
    rest = f" ({out} points left out: truth not real there)" if out else ""
    return (
        f"canonical form equal ({verification.method}); agrees to {max(inside.worst, outside.worst):.0e} on "
        f"{inside.points} fresh points inside the range and {outside.points} in one twice as wide{rest}"
    )


def _network_r2(formula: Formula, network: Predictor, ranges: Sequence[tuple[float, float]], seed: int) -> float:
    """1 - mean (network - formula)**2 / variance of the network, on fresh points where the formula is real."""
    x = _points(ranges, seed + 2)
    seen = np.asarray(network(x), dtype=np.float64).reshape(len(x))
    said = formula.predict(x)
    counted = np.isfinite(said) & np.isfinite(seen)
    if not np.any(counted):
        return float("-inf")
    with np.errstate(all="ignore"):
        miss = float(np.mean((seen[counted] - said[counted]) ** 2))
        variance = float(np.var(seen[counted]))
    if variance == 0.0:
        return 1.0 if miss == 0.0 else float("-inf")
    return 1.0 - miss / variance


def _points(ranges: Sequence[tuple[float, float]], seed: int) -> Float64[np.ndarray, "points inputs"]:
    """Uniform random points of the ranges."""
    low, high = np.array(ranges, dtype=np.float64).reshape(-1, 2).T
    return np.random.default_rng(seed).uniform(low, high, (_POINTS, len(ranges)))


def _named(truth: sympy.Expr, formula: Formula) -> sympy.Expr:
    """The truth in real symbols of the formula's inputs."""
    strange = {str(symbol) for symbol in truth.free_symbols} - set(formula.inputs)
    if strange:
        raise InputError(
            "the truth uses names that are no inputs",
            where=f"verify_formula, output {formula.output!r}",
            expected=f"names among {sorted(formula.inputs)}",
            got=str(sorted(strange)),
            hint="write the truth in the inputs' names",
        )
    return truth.xreplace({symbol: sympy.Symbol(str(symbol), real=True) for symbol in truth.free_symbols})
