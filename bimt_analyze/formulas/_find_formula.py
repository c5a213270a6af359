"""From rows of one output to a formula: the entry of the search."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError

from ._formula import Formula, Predictor
from ._measured_formula import measured, with_work
from ._row_bounds import rows_missed
from ._search_options import SearchOptions
from ._searched_rows import best_known, candidate_columns, check_rows, check_sigma, searched_rows
from .dimensions._known import known_units
from .generators._genetic import check_genetic
from .hints._differentiable import Differentiable
from .hints._proposed_structure import proposed_structure, structure_from_tests
from .hints._relevant_columns import relevant_columns
from .hints._structural_tests import StructuralTestResult, structural_tests
from .problem._budget import Budget
from .problem._constants import refine
from .problem._polynomial import fallback_polynomial
from .problem._precision import row_precision, tolerance_of
from .problem._prior_knowledge import NOTHING_KNOWN, PriorKnowledge
from .problem._search_problem import SearchProblem, deviation, weights_of
from .problem._structure import Structure
from .search._asked_form import asked_form, fitted_form
from .search._candidate import finish, order
from .search._plainer_forms import plainer_forms
from .search._questions import all_questions, middle, without_rows_apart
from .search._search import Outcome, search
from .search._sharpened import resummed, sharpened
from .search._stages import COMBINED, DECOMPOSITIONS, GENETIC, MARKED, MATCHED, QUICK, THOROUGH
from .verdicts._data_words import apart_words

_log = logging.getLogger(__name__)

_SEARCHING = 0.9  # share of the time for the search; the rest is for finishing
_FRONT_WORK = 0.2  # units, for the formulas that are told beside the best one
_NOISE_WORK = 0.5  # units, for estimating the noise, within what is left for finishing
_MANY = 8  # inputs, beyond which hints of a network are held against the rows
_SCREENING = 0.3  # share of the time for the columns that matter, at most
_FEWEST_TESTED = 20  # rows: with fewer, a departure from a property is mostly chance
_COARSE = 0.05  # of y's deviation: a network that errs by more is too coarse for its derivatives to say anything
_KINDS = {
    DECOMPOSITIONS: "decomposition",
    MARKED: "kink and wave",
    MATCHED: "pool",
    THOROUGH: "thorough",
    GENETIC: "genetic",
}
_CALLED, _TESTED_ROWS = 62, 300  # calls for each input, of a function that is tested, and rows of its derivatives
_SURROGATE_ROWS = 60  # and where there are at least so many rows, of which a fifth is held out


def find_formula(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str],
    output: str,
    structure: Structure | None = None,
    network: Predictor | None = None,
    units: Mapping[str, str] | None = None,
    tolerance: float = 0.0,
    sigma: Float64[np.ndarray, "rows"] | None = None,
    prior: PriorKnowledge | None = None,
    form: str | sympy.Expr | None = None,
    options: SearchOptions | None = None,
    progress: Callable[[str], None] | None = None,
    **changes: Any,
) -> Formula:
    """The formula of the shortest description that explains y = f(x), in the names given.

    Hints only propose: every proposal is decided on the rows, and where a search with hints does not explain them, all
    inputs are searched without hints. The formula's ``exact`` is False until `verify_formula` has held it against
    held-out rows and, where it is known, the truth.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs, in the task's own units.
    y : array of shape [rows]
        The output, in the task's own unit.
    names : sequence of str
        One name for each column of ``x``, all different; the formula is written in them.
    output : str
        The name of ``y``.
    structure : Structure, optional
        Hints read from a circuit (`read_structure`), in the same names.
    network : callable, optional
        The network's own prediction of this output, from [rows, inputs] to [rows]. A `Differentiable` one is tested for
        structure (`structural_tests`); any other gives inputs and terms (`structure_from_tests`), where no
        ``structure`` is given. Where the network is too coarse (it errs by more than 5 % of y's deviation) and the
        quick search fails, a `surrogate` is fitted to the rows and tested in its stead. Without ``structure`` and
        ``network``, the rows themselves propose which inputs matter (polynomials, terms of two columns, waves).
    units : mapping of str to str, optional
        The unit of each input and of the output, such as ``{"v": "m/s", "E": "J"}``; empty for a plain number. The
        search then asks first for laws among products of the inputs (and of constants of nature) that have no unit
        [2]_. Nothing is refused on account of its units. Read by Pint; a unit that is not known counts as not given.
    tolerance : float, default 0
        The root mean square error of ``y``, in units of its deviation, where it is known: that of a derivative, for
        instance. The search ends at a form that misses no row by more than three times as much. Without it, only the
        digits in which ``y`` is written tell how well it is known.
    sigma : array of shape [rows], optional
        The standard error of each ``y``, in its own unit. Residuals are then divided by it wherever constants are
        fitted, constants become simple numbers, and formulas are compared; chi-square says whether the formula fits
        within these errors. Forms are proposed from the rows that are known best (`best_known`), which count alike.
    prior : PriorKnowledge, optional
        What is known of the law: candidates that contradict it are left out.
    form : str or sympy.Expr, optional
        A form to fit instead of a search, such as ``"a*exp(-b*t) + c"``: every name in it that is no input is a
        constant.
    options : SearchOptions, optional
        Time limit, seed and all else; the defaults if left out.
    progress : callable, optional
        Called with the name of each stage as it begins, such as ``"quick search"``.
    **changes
        Fields of `SearchOptions` that differ from ``options``, for instance ``time_limit=60``.

    Returns
    -------
    Formula
        The best formula found, measured on all rows, with the front of length against error. Rows that stand apart
        from all others (at most a tenth) are left out, and named in ``apart`` and the message. A KeyboardInterrupt ends
        the search: the best formula so far is finished, and its message begins "interrupted: ".

    Raises
    ------
    InputError
        For rows that are no finite numbers, for a ``sigma`` that is not positive, for names that do not fit the
        columns, for a structure, units or knowledge of other inputs, for a form that cannot be fitted, for an option
        out of its range or unknown, and for ``genetic`` where pyoperon is not installed.

    Notes
    -----
    A formula's description length is rows * log2(error) bits for the rows given the formula, three bits for each of its
    nodes, and the bits of its constants [1]_.

    References
    ----------
    .. [1] J. Rissanen, "Modeling by shortest data description", Automatica 14, 1978.
    .. [2] E. Buckingham, "On physically similar systems", Physical Review 4, 1914.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(size=(60, 2))
    >>> formula = find_formula(x, x[:, 0] * x[:, 1], names=["x1", "x2"], output="y", time_limit=5)
    >>> print(formula)
    y = x1*x2
    >>> formula.fits, formula.exact
    (True, False)
    """
    chosen = (options or SearchOptions()).with_changes(**changes)
    seed, time_limit = chosen.seed, chosen.time_limit
    if chosen.genetic:
        check_genetic()
    check_rows(x, y, names, where=f"rows of {output!r}", fewest=1)
    if sigma is not None:
        check_sigma(sigma, len(y), where=f"rows of {output!r}")
    if structure is not None and not set(structure.inputs) <= set(names):
        raise InputError(
            "hints name unknown inputs",
            where=f"structure of {output!r}",
            expected=f"names among {sorted(names)}",
            got=str(sorted(set(structure.inputs) - set(names))),
            hint="read the structure with the names of the table's columns",
        )
    if prior is not None:
        prior.check_inputs(names)
    tell = progress or partial(_log.debug, "formula of %s: %s", output)
    _log.info("formulas: searching %s", output)
    budget = Budget.of(_SEARCHING * time_limit, seconds=chosen.hard_limit)
    some = looked_at = searched_rows(len(y), seed, most=chosen.rows)
    if sigma is not None:
        some = some[best_known(sigma[some])]
    kept = candidate_columns(x, y)
    columns = tuple(sympy.Symbol(names[i], real=True) for i in kept)
    precision = row_precision(x, y)
    tolerance = max(tolerance, tolerance_of(precision, x[some], y[some], budget=budget)) if kept else 0.0
    known = None if units is None else known_units(units, names, output)
    weights = None if sigma is None else weights_of(sigma[some])
    problem = SearchProblem(
        x[some][:, list(kept)], y[some], columns, budget, tolerance=tolerance, seed=seed, weights=weights
    )
    problem = replace(problem, prior=prior or NOTHING_KNOWN)
    fitted, outcome = problem, Outcome((), ())
    every = problem
    if sigma is not None:  # forms are proposed from the rows that are known best, and judged on all
        weights = weights_of(sigma[looked_at])
        every = replace(problem, x=x[looked_at][:, list(kept)], y=y[looked_at], weights=weights)
    if form is not None:
        tell("fitting the form")
        symbols = tuple(sympy.Symbol(name, real=True) for name in names)
        asked = replace(every, x=x[looked_at], columns=symbols)
        found = [finish(asked, fitted_form(asked_form(form, symbols), asked))]
        asked_for = measured(found, x, y, names, output, precision=precision, budget=budget, sigma=sigma)
        return with_work(asked_for, budget.ledger)
    test_results: tuple[StructuralTestResult, ...] = ()
    tests = _StructuralTests(problem, network if kept else None, x[some], tuple(names), chosen)
    try:
        tell("hints")
        test_results = tests.of_network()
        if structure is None and network is not None and kept:
            budget.charge("network", len(names) ** 2 * len(some), calls=len(names) ** 2)
            structure = (
                proposed_structure(test_results, names=names)
                if test_results
                else structure_from_tests(network, x[some], y[some], names=names, seed=seed)
            )
        if structure is None or len(structure.inputs) > _MANY:  # a network that reads idle columns tells little
            seen = middle(problem) or problem
            fewer = relevant_columns(seen.x, seen.y, budget=budget.share(_SCREENING))
            structure = structure if fewer is None else Structure(tuple(str(columns[i]) for i in fewer))
        fitted = without_rows_apart(problem, structure)
        for question in all_questions(problem, fitted, structure, chosen, tested=network is not None, known=known):
            asked, stages = question.problem, question.stages
            if stages is not QUICK and asked.budget.over():
                continue
            if stages is COMBINED:
                tell("structural tests")
                test_results = tests.of_network_or_surrogate(test_results)
                asked = replace(asked, structure=proposed_structure(test_results, names=names))
            kind = _KINDS.get(tuple(stages), "quick")
            tell(f"{kind} search" if asked.structure is None else f"{kind} search with hints")
            outcome = outcome.joined(question.answered(search(asked, stages)), problem)
            plain = stages in (QUICK, DECOMPOSITIONS) and question.whole is None and asked.width == problem.width
            if plain and not outcome.settled and not outcome.interrupted:
                sums = tuple(one for one in resummed(outcome, problem) if problem.allows(one.expression))
                outcome = outcome.joined(Outcome(sums, ()), problem)
            if outcome.settled or outcome.interrupted or (tolerance and outcome.done and stages is MATCHED):
                break  # rows known to a tolerance cannot tell a better form
    except KeyboardInterrupt:  # while hints were read
        outcome = replace(outcome, interrupted=True)
    tell("finishing")
    if (
        not outcome.settled
        and (template := fallback_polynomial(problem)) is not None
        and (fit := refine(template, problem)) is not None
    ):
        outcome = outcome.joined(Outcome((), (fit,)), problem)
    rough = () if outcome.settled else outcome.rough
    unseen = tuple(fit for fit in outcome.seen if all(fit is not one for one in rough))
    if every is not problem:
        rough, unseen = (tuple(refine(fit.template, every) or fit for fit in fits) for fits in (rough, unseen))
    found = sorted([*outcome.done, *(finish(fit.model.problem, fit) for fit in rough)], key=order)
    found = [one for one in sharpened(found, fitted if outcome.settled else every) if problem.allows(one.expression)]
    missed = rows_missed(found[0].expression, names, x, y) if fitted.rows < problem.rows and found else ()
    rows = np.delete(x, missed, 0), np.delete(y, missed)
    errors = None if sigma is None else np.delete(sigma, missed)
    beside = budget.apart(min(_FRONT_WORK, (1 - _SEARCHING) * time_limit))
    shown = [finish(fit.model.problem, fit) for fit in unseen if not beside.over()]
    plainer = plainer_forms(found[0], replace(every, budget=beside)) if found else []
    last = budget.apart(min(_NOISE_WORK, (1 - _SEARCHING) * time_limit))
    formula = measured(
        [*found, *shown], *rows, names, output, precision=precision, budget=last, sigma=errors, plainer=plainer
    )
    if missed:
        formula = replace(formula, apart=missed, message=f"{formula.message}; {apart_words(missed, len(y))}")
    formula = with_work(replace(formula, test_results=test_results), budget.ledger)
    return _interrupted(formula) if outcome.interrupted else formula


@dataclass(frozen=True)
class _StructuralTests:
    """Which function is tested for structure, and whether that is worth its time."""

    problem: SearchProblem
    network: Predictor | None
    x: Float64[np.ndarray, "some inputs"]
    names: tuple[str, ...]
    options: SearchOptions

    def of_network(self) -> tuple[StructuralTestResult, ...]:
        """Results for the network itself; none where its derivatives say nothing.

        That is where it is no `Differentiable`, has too many inputs, errs too much, or is piecewise linear.
        """
        function, y = self.network, self.problem.y
        if (
            not isinstance(function, Differentiable)
            or len(self.names) > self.options.tested_inputs
            or len(y) < _FEWEST_TESTED
        ):
            return ()
        self._charge(1, _FEWEST_TESTED)
        if np.sqrt(np.mean((function(self.x) - y) ** 2)) > _COARSE * deviation(y):
            return ()
        if not function.hessian(self.x[:_FEWEST_TESTED]).any():  # piecewise linear: no derivative sees its kinks
            return ()
        return self._tested(function)

    def of_network_or_surrogate(self, known: tuple[StructuralTestResult, ...]) -> tuple[StructuralTestResult, ...]:
        """The ``known`` results of the network, or else those of a surrogate, if there is the time to fit one.

        Parameters
        ----------
        known : tuple of StructuralTestResult
            What the network itself showed; empty where it was not tested.
        """
        if known or self.network is None or len(self.names) > self.options.tested_inputs:
            return known
        if self.problem.budget.left < self.options.surrogate_seconds or len(self.problem.y) < _SURROGATE_ROWS:
            return known
        from .hints._surrogate import surrogate  # brings torch

        function = surrogate(self.x, self.problem.y, names=self.names, seed=self.options.seed)
        self.problem.budget.charge("surrogate", len(self.x))
        return self._tested(function)

    def _tested(self, function: Differentiable) -> tuple[StructuralTestResult, ...]:
        """The results for a function."""
        width = len(self.names)
        asked, networks = width**2 + _CALLED * width, len(function.checkpoints)
        self._charge(networks * asked, networks * min(len(self.x), _TESTED_ROWS))
        return structural_tests(function, self.x, self.problem.y, names=self.names, seed=self.options.seed)

    def _charge(self, calls: int, hessians: int) -> None:
        """Write down calls of the function on all rows, and Hessians of some."""
        self.problem.budget.charge("network", calls * len(self.x), calls=calls)
        self.problem.budget.charge("network", hessians * len(self.names) ** 2)


def _interrupted(formula: Formula) -> Formula:
    """The formula, with the remark that its search was ended before its time."""
    shortfall = formula.shortfall and f"interrupted: {formula.shortfall}"
    return replace(formula, shortfall=shortfall, message=f"interrupted: {formula.message}")
