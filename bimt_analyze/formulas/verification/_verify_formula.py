"""The verification of a formula: its rows, its truth, its rivals, and the network on fresh points."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError

from ..._one_thread import on_one_thread
from .._fidelity import FAITHFUL, divergence
from .._formula import Formula, Predictor
from .._row_bounds import rows_missed
from .._rows import Rows
from .._search_options import SearchOptions
from .._searched_rows import check_rows, check_sigma
from .._verification import NumericCheck, Verification
from ..problem._budget import Budget
from ..problem._search_problem import deviation
from ..problem._template import node_count
from ..rivals._rivals import relations_of, rivals
from ..symbolic._equality import Equality, same_function
from ..verdicts._data_words import IDENTIFIED, DataWord, apart_words, cut_short
from ..verdicts._network_verdict import NetworkVerdict, network_verdict
from ._noise import foreseen, noise_objections, same_on_rows
from ._objections import crowded_input, objections, too_little, word_of
from ._row_evidence import Evidence
from ._statement import statement_of

Ranges = Sequence[tuple[float, float]]

_POINTS = 1000  # fresh ones, within the ranges and in ranges twice as wide
_NETWORK_POINTS = 10_000  # fresh ones, at which the network is held against the formula
_RIVALS = 5.0  # units of work, for the search for rivals
_CHECKED = 12  # rows at which the formula's own rounding is measured
_NO_TRUTH = Equality("no truth", "none known")


@on_one_thread
def verify_formula(
    formula: Formula,
    *,
    test: Rows,
    truth: sympy.Expr | None,
    ranges: Ranges,
    train: Rows | None = None,
    network: Predictor | None = None,
    terms: Sequence[frozenset[str]] = (),
    seed: int = 0,
) -> Formula:
    """The formula with its verification: the word for it as a law of the data, and how far the network follows it.

    Parameters
    ----------
    formula : Formula
        As `find_formula` gave it.
    test : Rows
        Held-out rows, their columns in the order of ``formula.inputs``; there may be none.
    truth : sympy.Expr or None
        The known formula, in the same names; None where none is known.
    ranges : sequence of (float, float)
        Least and largest value of each input, between which fresh points are drawn.
    train : Rows, optional
        The rows that were searched. Held-out rows that repeat one of them are no evidence, and rivals are held against
        them too. Where the standard errors of both are known, they tell whether the residual is noise; else smooth fits
        do.
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
        For held-out rows, ranges or errors of the wrong size, or a truth in unknown names.

    Notes
    -----
    The word is one of `DATA_WORDS`. Rows are met to rounding if the largest residual is no more than 1e-11 of y's
    deviation plus 16 ulp of its largest value and, where no truth is known, no more than what this very formula loses
    in double precision. They are met to their precision if each is met to half a unit of its last place, and of that
    of its inputs.

    A form is identified only if

    1. there are at least ten different training rows, ten different held-out rows that repeat none of them, and three
       training rows for each constant without a simple name;
    2. each input takes two values more than there are numbers in what depends on it, or than it has degrees as a
       polynomial: on fewer, any function is such a form;
    3. at most three constants have no simple name, since a longer formula may be a series standing in for a function,
       and the rows fix each of those;
    4. no rival of comparable length meets the rows as well (see `Rival`);
    5. where a truth is known, formula - truth is zero as a function (see `same_function`), and both agree to 1e-9 on
       1,000 fresh points in ``ranges`` and 1,000 in ranges twice as wide. Points where the truth is not finite are left
       out and counted. A form that equals the truth needs no other evidence than the rows.

    Agreement with the network is a verdict of its own, on 10,000 fresh points: a network is an approximation. Where a
    formula has an r2 below 0.999 against it, the part that it misses most is told (`Divergence`).

    Examples
    --------
    >>> from bimt_analyze.formulas import Rows, find_formula
    >>> x = np.random.default_rng(0).uniform(size=(60, 2))
    >>> y = x[:, 0] * x[:, 1]
    >>> formula = find_formula(x[:40], y[:40], names=["x1", "x2"], output="y", time_limit=5)
    >>> verified = verify_formula(formula, test=Rows(x[40:], y[40:]), truth=None, ranges=[(0, 1)] * 2)
    >>> verified.word, verified.exact, verified.verification.canonical
    ('exact', True, 'no truth')
    """
    _check(formula, test, train, ranges)
    truth = None if truth is None else _named(truth, formula)
    far = rows_missed(formula.expression, formula.inputs, test.x, test.y) if formula.apart else ()
    held, searched = test.without(far), None if train is None else train.without(formula.apart)
    rows = Evidence.of(formula, held, searched)
    seen = None if network is None else _held_against_network(formula, network, ranges, seed)
    verification = replace(_held_against_truth(formula, truth, rows, held, ranges, seed), network=seen)
    budget = Budget.of(_RIVALS, seconds=SearchOptions(time_limit=_RIVALS).hard_limit)
    budget.charge("digits", _CHECKED * node_count(formula.expression), calls=_CHECKED)
    if verification.canonical != "equal":  # one that equals the truth has no rivals
        verification = _with_rivals(formula, verification, rows, truth, ranges, budget=budget, seed=seed)
    word, wrong = _word(formula, verification, rows, network, held, searched, budget)
    if word == "within noise" and verification.canonical != "equal":
        alike = same_on_rows(formula, rows.x, ranges, budget=budget, seed=seed)
        word = "one of several" if alike else word
        verification = replace(verification, rivals=alike)
    statement = statement_of(formula, replace(verification, word=word), rows, wrong)
    if formula.apart:
        left = f"{apart_words(formula.apart, formula.rows + len(formula.apart))}{_furthest(formula, train)}"
        left += f", and {len(far)} held-out rows; of the others: "
        wrong, statement = [*wrong, f"{left}{word}"], f"{left}{statement}"
        if word in IDENTIFIED:  # a constant with exceptions says nothing of them
            word = "but for rows apart" if formula.variables else "none"
    missed = None
    if network is not None and seen is not None and seen.r2 < FAITHFUL and word != "exact" and formula.inputs:
        x = _points(ranges, seed + 3, _POINTS)
        missed = divergence(formula.predict, network, x, names=formula.inputs, groups=terms, seed=seed)
        statement += f"; r2 {seen.r2:.4f} against the network: {missed.words()}"
    said = [] if word == "exact" else [*wrong, *(f"rival: {rival.words()}" for rival in verification.rivals)]
    cut = budget.ledger.seconds if budget.ledger.cut else formula.cut_after
    if cut is not None:
        said, statement = [*said, cut_short(cut)], f"{statement}; {cut_short(cut)}"
    return replace(
        formula,
        work=formula.work + budget.ledger.spent,
        cut_after=cut,
        exact=word == "exact",
        message="; ".join(said) or word,
        verification=replace(verification, word=word, statement=statement, divergence=missed),
    )


def _check(formula: Formula, test: Rows, train: Rows | None, ranges: Ranges) -> None:
    """Refuse rows and ranges that do not fit a formula."""
    check_rows(test.x, test.y, formula.inputs, where=f"held-out rows of {formula.output!r}", fewest=0)
    if len(ranges) != len(formula.inputs):
        raise InputError(
            "wrong number of ranges",
            where="verify_formula",
            expected=f"one pair for each of {formula.inputs}",
            got=str(len(ranges)),
        )
    if train is not None:
        check_rows(train.x, train.y, formula.inputs, where=f"searched rows of {formula.output!r}", fewest=0)
    for rows, which in ((test, "held-out"), (train, "searched")):
        if rows is not None and rows.sigma is not None:
            check_sigma(rows.sigma, len(rows.y), where=f"{which} rows of {formula.output!r}")


def _held_against_truth(
    formula: Formula, truth: sympy.Expr | None, rows: Evidence, held: Rows, ranges: Ranges, seed: int
) -> Verification:
    """How a formula stands to its rows, and to the truth where one is known; without a word yet."""
    equality, inside, outside = _NO_TRUTH, None, None
    if truth is not None:
        pairs = dict(zip(formula.inputs, ranges, strict=True))
        equality = same_function(formula.expression, truth, ranges=pairs, seed=seed, error=_constant_error(formula))
        unit = deviation(held.y) if len(held.y) else 1.0
        inside = numeric_check(formula, truth, ranges, unit=unit, seed=seed)
        wide = [(1.5 * low - 0.5 * high, 1.5 * high - 0.5 * low) for low, high in ranges]
        outside = numeric_check(formula, truth, wide, unit=unit, seed=seed + 1)
    return Verification(
        train=formula.worst,
        held=rows.worst,
        bound=max(formula.bound, rows.bound),
        canonical=equality.canonical,
        method=equality.method,
        inside=inside,
        outside=outside,
        network=None,
        statement="",
        distinct_test=rows.distinct,
    )


def _with_rivals(
    formula: Formula,
    verification: Verification,
    rows: Evidence,
    truth: sympy.Expr | None,
    ranges: Ranges,
    *,
    budget: Budget,
    seed: int,
) -> Verification:
    """The verification with the rivals of a formula that meets its rows, and how the inputs hang together for them."""
    if not (formula.fits and rows.met and len(rows.y) and formula.inputs):
        return verification
    others = [one.expression for one in formula.pareto_front if one.searched]
    found = rivals(
        formula.expression, formula.inputs, Rows(rows.x, rows.y), precision=rows.precision, ranges=ranges,
        others=others if truth is None else [*others, truth], budget=budget, seed=seed,
    )  # fmt: skip
    relations = relations_of(formula.inputs, rows.x, precision=rows.precision) if found else ()
    return replace(verification, rivals=found, relations=relations)


def _word(
    formula: Formula,
    verification: Verification,
    rows: Evidence,
    network: Predictor | None,
    held: Rows,
    searched: Rows | None,
    budget: Budget,
) -> tuple[DataWord, list[str]]:
    """The word for a formula, and what speaks against calling it a law, the gravest first."""
    known = verification.canonical == "equal"
    thin = too_little(formula, rows)
    wrong = [*objections(formula, verification, rows), *(() if known else thin)]
    word = word_of(formula, rows, verification, wrong, () if thin else verification.rivals)
    if word != "none" or (formula.fits and rows.met):
        return word, wrong
    known_better = [] if network is None else foreseen(formula, network, held)
    crowded = [] if known else [one for one in [crowded_input(formula, rows)] if one]
    noise = known_better or crowded or noise_objections(formula, held, searched, budget=budget, known=known)
    word = "within noise" if not noise and verification.canonical != "different" else rows.predicts
    return word, [*known_better, *wrong]


def _furthest(formula: Formula, rows: Rows | None) -> str:
    """The row that stands furthest apart, by its inputs and its output; nothing where the rows are not known."""
    if rows is None:
        return ""
    apart = np.array(formula.apart)
    row = int(apart[np.argmax(np.abs(rows.y[apart] - formula.predict(rows.x[apart])))])
    used = [f"{name} = {rows.x[row, formula.inputs.index(name)]:.4g}" for name in formula.variables]
    return f" (the furthest has {', '.join([*used, f'{formula.output} = {rows.y[row]:.4g}'])})"


def numeric_check(formula: Formula, truth: sympy.Expr, ranges: Ranges, *, unit: float, seed: int) -> NumericCheck:
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
    x = _points(ranges, seed, _POINTS)
    symbols = [sympy.Symbol(name, real=True) for name in formula.inputs]
    expected = replace(formula, expression=truth).predict(x) if symbols else np.full(len(x), float(truth))
    counted = np.isfinite(expected)
    with np.errstate(all="ignore"):
        error = np.abs(formula.predict(x) - expected)[counted] / (np.abs(expected[counted]) + unit)
    error[~np.isfinite(error)] = np.inf
    worst = float(np.max(error)) if len(error) else float("inf")
    return NumericCheck(int(counted.sum()), int((~counted).sum()), worst)


def _constant_error(formula: Formula) -> float:
    """The largest relative standard error of the constants that stay decimals."""
    errors = [c.error / abs(c.value) for c in formula.constants if c.exact is None and c.value]
    return max((e for e in errors if np.isfinite(e)), default=0.0)


def _held_against_network(formula: Formula, network: Predictor, ranges: Ranges, seed: int) -> NetworkVerdict:
    """How far the network follows the formula, on fresh points where the formula is real."""
    x = _points(ranges, seed + 2, _NETWORK_POINTS)
    seen = np.asarray(network(x), dtype=np.float64).reshape(len(x))
    return network_verdict(seen, formula.predict(x))


def _points(ranges: Ranges, seed: int, count: int) -> Float64[np.ndarray, "points inputs"]:
    """Uniform random points of the ranges."""
    low, high = np.array(ranges, dtype=np.float64).reshape(-1, 2).T
    return np.random.default_rng(seed).uniform(low, high, (count, len(ranges)))


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
