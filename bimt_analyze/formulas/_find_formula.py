"""From rows of one output to a formula: the entry of the search."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError

from .._one_thread import on_one_thread
from ._formula import Formula, Predictor
from ._measured_formula import measured, with_work
from ._row_bounds import rows_missed
from ._rows import Rows
from ._search_options import SearchOptions
from ._searched_rows import column_names
from .generators._genetic import check_genetic
from .hints._hints import Hints
from .hints._proposed_structure import proposed_structure, structure_from_tests
from .hints._relevant_columns import relevant_columns
from .hints._structural_tests import StructuralTestResult
from .problem._constants import refine
from .problem._polynomial import fallback_polynomial
from .problem._prior_knowledge import PriorKnowledge
from .problem._search_problem import SearchProblem
from .problem._structure import Structure
from .search._candidate import finish, order
from .search._function_tests import FunctionTests
from .search._given_rows import SEARCHING, GivenRows, given_rows
from .search._pared import pared
from .search._plainer_forms import plainer_forms
from .search._questions import all_questions, middle, without_rows_apart
from .search._search import Outcome, search
from .search._sharpened import resummed, sharpened
from .search._stages import COMBINED, DECOMPOSITIONS, GENETIC, MARKED, MATCHED, QUICK, THOROUGH
from .search._varied import varied
from .verdicts._data_words import apart_words

_log = logging.getLogger(__name__)

_FRONT_WORK = 0.2  # units, for the formulas that are told beside the best one
_VARYING_WORK = 3.0  # units, for other functions in a formula, within what is left for finishing
_PARING_WORK = 0.5  # units, for parts that noise hides
_NOISE_WORK = 0.5  # units, for estimating the noise, within what is left for finishing
_MANY = 8  # inputs, beyond which hints of a network are held against the rows
_SCREENING = 0.3  # share of the time for the columns that matter, at most
_KINDS = {
    DECOMPOSITIONS: "decomposition",
    MARKED: "kink and wave",
    MATCHED: "pool",
    THOROUGH: "thorough",
    GENETIC: "genetic",
}


@on_one_thread
def find_formula(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str] | None = None,
    output: str = "y",
    sigma: Float64[np.ndarray, "rows"] | None = None,
    prior: PriorKnowledge | None = None,
    hints: Hints | None = None,
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
    names : sequence of str, optional
        One name for each column of ``x``, all different; the formula is written in them. ``x1``, ``x2``, ... if left
        out.
    output : str, default "y"
        The name of ``y``.
    sigma : array of shape [rows], optional
        The standard error of each ``y``, in its own unit. Residuals are then divided by it wherever constants are
        fitted, constants become simple numbers, and formulas are compared; chi-square says whether the formula fits
        within these errors. Forms are proposed from the rows that are known best (`best_known`), which count alike.
    prior : PriorKnowledge, optional
        What is known of the law: candidates that contradict it are left out.
    hints : Hints, optional
        A circuit's structure, a network, units: they propose forms. Without a structure and a network, the rows
        themselves propose which inputs matter (polynomials, terms of two columns, waves).
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
        columns, for hints or knowledge of other inputs, for an option out of its range or unknown, and for
        ``genetic`` where pyoperon is not installed.

    Notes
    -----
    A formula's description length is rows * log2(error) bits for the rows given the formula, three bits for each of its
    nodes, and the bits of its constants [1]_.

    References
    ----------
    .. [1] J. Rissanen, "Modeling by shortest data description", Automatica 14, 1978.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(size=(60, 2))
    >>> formula = find_formula(x, x[:, 0] * x[:, 1], time_limit=5)
    >>> print(formula)
    y = x1*x2
    >>> formula.fits, formula.exact
    (True, False)
    """
    names, hinted = column_names(x, names), hints or Hints()
    chosen = (options or SearchOptions()).with_changes(**changes)
    if chosen.genetic:
        check_genetic()
    if hinted.structure is not None and not set(hinted.structure.inputs) <= set(names):
        raise InputError(
            "hints name unknown inputs",
            where=f"structure of {output!r}",
            expected=f"names among {sorted(names)}",
            got=str(sorted(set(hinted.structure.inputs) - set(names))),
            hint="read the structure with the names of the table's columns",
        )
    given = given_rows(x, y, names=names, output=output, options=chosen, units=hinted.units, sigma=sigma, prior=prior)
    tell = progress or partial(_log.debug, "formula of %s: %s", output)
    _log.info("formulas: searching %s", output)
    found = _searched(given, hinted, chosen, tell)
    tell("finishing")
    formula = _finished(given, found, chosen)
    return _interrupted(formula) if found.outcome.interrupted else formula


@dataclass(frozen=True)
class _Found:
    """What a search found, on the rows that it fitted, and what tests of a function showed on the way."""

    outcome: Outcome
    fitted: SearchProblem
    test_results: tuple[StructuralTestResult, ...] = ()


def _searched(given: GivenRows, hints: Hints, options: SearchOptions, tell: Callable[[str], None]) -> _Found:
    """Ask all questions, from the cheapest on, until one settles what the rows are, or the time is over."""
    problem, some, structure, network = given.problem, given.some, hints.structure, hints.network
    fitted, outcome = problem, Outcome((), ())
    test_results: tuple[StructuralTestResult, ...] = ()
    tried: set[sympy.Expr] = set()
    tests = FunctionTests(problem, network if problem.columns else None, given.x[some], given.names, options)
    try:
        tell("hints")
        test_results = tests.of_network()
        if structure is None and network is not None and problem.columns:
            structure = _network_structure(given, network, test_results)
        if structure is None or len(structure.inputs) > _MANY:  # a network that reads idle columns tells little
            seen = middle(problem) or problem
            fewer = relevant_columns(seen.x, seen.y, budget=given.budget.share(_SCREENING))
            structure = structure if fewer is None else Structure(tuple(str(problem.columns[i]) for i in fewer))
        fitted = without_rows_apart(problem, structure)
        questions = all_questions(problem, fitted, structure, options, tested=network is not None, known=given.units)
        for question in questions:
            asked, stages = question.problem, question.stages
            if stages is not QUICK and asked.budget.over():
                continue
            if stages is COMBINED:
                tell("structural tests")
                test_results = tests.of_network_or_surrogate(test_results)
                asked = replace(asked, structure=proposed_structure(test_results, names=given.names))
            kind = _KINDS.get(tuple(stages), "quick")
            tell(f"{kind} search" if asked.structure is None else f"{kind} search with hints")
            outcome = outcome.joined(question.answered(search(asked, stages)), problem)
            plain = stages in (QUICK, DECOMPOSITIONS) and question.whole is None and asked.width == problem.width
            if plain and not outcome.settled and not outcome.interrupted:
                sums = tuple(one for one in resummed(outcome, problem, tried=tried) if problem.allows(one.expression))
                outcome = outcome.joined(Outcome(sums, ()), problem)
            if outcome.settled or outcome.interrupted:
                break
            if problem.tolerance and outcome.done and stages is MATCHED:
                break  # rows known to a tolerance cannot tell a better form
    except KeyboardInterrupt:  # while hints were read
        outcome = replace(outcome, interrupted=True)
    return _Found(outcome, fitted, test_results)


def _network_structure(
    given: GivenRows, network: Predictor, test_results: tuple[StructuralTestResult, ...]
) -> Structure | None:
    """Hints from a network: by its tests, or else by calls of it."""
    count, some = len(given.names), given.some
    given.budget.charge("network", count**2 * len(some), calls=count**2)
    if test_results:
        return proposed_structure(test_results, names=given.names)
    seed = given.problem.seed
    return structure_from_tests(network, given.x[some], given.y[some], names=given.names, seed=seed)


def _finished(given: GivenRows, found: _Found, options: SearchOptions) -> Formula:
    """The best of what was found, in tidy forms and measured on all rows."""
    problem, judged, outcome, budget = given.problem, given.judged, found.outcome, given.budget
    finishing = (1 - SEARCHING) * options.time_limit
    if not outcome.settled:
        template = fallback_polynomial(problem)
        fit = None if template is None else refine(template, problem)
        outcome = outcome if fit is None else outcome.joined(Outcome((), (fit,)), problem)
    rough = () if outcome.settled else outcome.rough
    unseen = tuple(fit for fit in outcome.seen if all(fit is not one for one in rough))
    if judged is not problem:
        rough, unseen = (tuple(refine(fit.template, judged) or fit for fit in fits) for fits in (rough, unseen))
    best = sorted([*outcome.done, *(finish(fit.model.problem, fit) for fit in rough)], key=order)
    best = sharpened(best, found.fitted if outcome.settled else judged)
    best = varied(best, judged, work=min(_VARYING_WORK, finishing))
    best = pared(best, judged, work=min(_PARING_WORK, finishing))
    best = [one for one in best if problem.allows(one.expression)]
    robust = best and found.fitted.rows < problem.rows
    missed = rows_missed(best[0].expression, given.names, given.x, given.y) if robust else ()
    beside = budget.apart(min(_FRONT_WORK, finishing))
    shown = [finish(fit.model.problem, fit) for fit in unseen if not beside.over()]
    plainer = plainer_forms(best[0], replace(judged, budget=beside)) if best else []
    formula = measured(
        [*best, *shown],
        Rows(given.x, given.y, given.sigma).without(missed),
        given.names,
        given.output,
        precision=given.precision,
        budget=budget.apart(min(_NOISE_WORK, finishing)),
        plainer=plainer,
    )
    if missed:
        said = apart_words(missed, len(given.y))
        formula = replace(formula, apart=missed, message=f"{formula.message}; {said}")
    return with_work(replace(formula, test_results=found.test_results), budget.ledger)


def _interrupted(formula: Formula) -> Formula:
    """The formula, with the remark that its search was ended before its time."""
    shortfall = formula.shortfall and f"interrupted: {formula.shortfall}"
    return replace(formula, shortfall=shortfall, message=f"interrupted: {formula.message}")
