"""From rows of many groups to the one form behind them: the entry of the search."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from logging import getLogger
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError

from .._one_thread import on_one_thread
from ..formulas import PriorKnowledge, SearchOptions
from ..formulas._searched_rows import check_rows, column_names
from ..formulas.problem._budget import Budget
from ..formulas.problem._prior_knowledge import NOTHING_KNOWN
from ..formulas.problem._template import Template
from ..formulas.search._asked_form import asked_form
from ._compiled_form import FAR, CompiledForm
from ._equivalent_constants import written_alike
from ._fit_each import fit_each
from ._form_proposals import proposals
from ._grouped_law import GroupedLaw
from ._grouped_rows import GroupedRows
from ._joint_fit import LEAST
from ._open_form import OpenForm, with_more
from ._sharing import Shared, share_constants
from ._simpler import named_numbers, with_relations, without_idle_constants
from ._told_law import told

_log = getLogger(__name__)

_PROPOSING = 0.6  # share of the time for searches of single groups and of all
_LOOKED_AT = 12  # groups, and rows of each, at which many forms are looked at
_LOOKED_AT_ROWS = 60
_KEPT, _KEPT_EXACT = 8, 3  # forms whose constants are sorted, and where some meet every row to rounding
_EXACT = 1e-10  # of the deviation
_GROWN = 3  # forms that are tried with a constant more
_ROUNDS = 2
_STARTS_OF_FORM, _SPREAD_OF_FORM = 60, 1.5  # whose constants may be of any size
_REDUNDANT = 1e-9  # of the largest singular value
_EVALUATIONS, _TRIED = 150, 1500  # of a form by a fit: how many, and of how many starts in all
_HUGE = 1e60  # a constant of this size stands for a form without it
_NODE = 3.0  # bits


@on_one_thread
def find_grouped_law(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    groups: Iterable[Hashable],
    *,
    names: Sequence[str] | None = None,
    output: str = "y",
    prior: PriorKnowledge | None = None,
    form: str | sympy.Expr | None = None,
    options: SearchOptions | None = None,
    progress: Callable[[str], None] | None = None,
    **changes: Any,
) -> GroupedLaw:
    """The one form behind the rows of all groups, its constants shared by all groups or each group's own.

    Forms are proposed by searches of some groups alone and of all rows, and grown by constants that may be 0 or 1 by
    chance. Each is fitted in all groups by least squares from many starts. The form of the shortest description of all
    groups is kept, and every constant is shared unless the rows ask for values of the groups' own.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs, in the user's units.
    y : array of shape [rows]
        The output.
    groups : iterable
        The label of each row's group: texts or numbers.
    names : sequence of str, optional
        One name for each column of ``x``; ``x1``, ``x2``, ... if left out.
    output : str, default "y"
        The name of ``y``.
    prior : PriorKnowledge, optional
        What is known of the law in each group: forms that contradict it are left out.
    form : str or sympy.Expr, optional
        A form to fit, instead of a search: every name in it that is no input is a constant.
    options : SearchOptions, optional
        Time limit and seed; the defaults if left out.
    progress : callable, optional
        Called with the name of each stage as it begins.
    **changes
        Fields of `SearchOptions` that differ from ``options``, for instance ``time_limit=30``.

    Returns
    -------
    GroupedLaw
        The form, its constants, the groups that follow it and those that do not, and a word for it.

    Raises
    ------
    InputError
        For rows that are no finite numbers, names that do not fit, fewer than two groups, a group of fewer than four
        rows, and a form that cannot be used.

    Notes
    -----
    The description length is, in bits, log2 of what is left of every row, half of log2(rows) for each constant
    (of a group's own: of the group's rows, and eight more for its being own), and three for each node of the form.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> groups = np.repeat(["a", "b", "c"], 12)
    >>> own = np.repeat([1.0, 2.5, 4.0], 12)
    >>> x = rng.uniform(0, 3, (36, 1))
    >>> law = find_grouped_law(x, own * np.exp(-0.7 * x[:, 0]), groups, names=["t"], time_limit=2)
    >>> print(law)
    y = a*exp(-7*t/10), a in each group
    >>> law.constants("a").round(3).tolist()
    [1.0, 2.5, 4.0]
    """
    tell = progress or partial(_log.debug, "grouped law: %s")
    names = column_names(x, names)
    if prior is not None:
        prior.check_inputs(names)
    chosen = (options or SearchOptions()).with_changes(**changes)
    check_rows(x, y, names, where="rows of groups", fewest=8)
    rows = GroupedRows.of(x, y, groups)
    columns = tuple(sympy.Symbol(name, real=True) for name in names)
    search = _Search(
        rows, columns, chosen.seed, Budget.of(chosen.time_limit, seconds=chosen.hard_limit), prior or NOTHING_KNOWN
    )
    if form is not None:
        tell("fitting the form")
        best = search.of_form(asked_form(form, columns))
        others: tuple[Shared, ...] = ()
        numbers = dict[sympy.Dummy, sympy.Expr]()
    else:
        best, others = search.best(tell)
        tell("simple numbers")
        best, numbers = named_numbers(best, search.compile)
    return told(best, numbers, rows, columns, output, others=others, precise=np.concatenate([x, y[:, None]], axis=1))


@dataclass(frozen=True)
class _Scored:
    """A form, looked at in some groups."""

    compiled: CompiledForm
    bits: float
    exact: bool


@dataclass(frozen=True)
class _Search:
    """The rows, and what was compiled for them."""

    rows: GroupedRows
    columns: tuple[sympy.Symbol, ...]
    seed: int
    budget: Budget
    prior: PriorKnowledge

    def compile(self, form: OpenForm) -> CompiledForm:
        """A form made ready to run."""
        return CompiledForm.of(form, self.columns, self.budget)

    def best(self, tell: Callable[[str], None]) -> tuple[Shared, tuple[Shared, ...]]:
        """The form of the shortest description, and the others that were sorted; ``tell`` hears of each stage."""
        some = _some_groups(self.rows, self.seed).thinned(_LOOKED_AT_ROWS, self.seed)
        seen: dict[sympy.Expr, _Scored] = {}
        tell("forms")
        origin = ""
        for source, form in proposals(self.rows, self.columns, self.budget.share(_PROPOSING), self.seed):
            if source != origin and any(one.exact for one in seen.values()):
                break
            origin = source
            self._look(form, some, seen)
        exact = any(one.exact for one in seen.values())
        tell("constants")
        positive = [bool(np.all(self.rows.x[..., i] > 0)) for i in range(len(self.columns))]
        for _ in range(0 if exact else _ROUNDS):
            before = min(seen.values(), key=lambda one: one.bits).bits
            for one in sorted(seen.values(), key=lambda one: one.bits)[:_GROWN]:
                for form in with_more(one.compiled.form, self.columns, positive):
                    if not self.budget.over():
                        self._look(form, some, seen)
            if not min(one.bits for one in seen.values()) < before:
                break
        tell("shared constants")
        found = []
        for one in sorted(seen.values(), key=lambda one: one.bits)[: _KEPT_EXACT if exact else _KEPT]:
            try:
                shared = self.sorted(one.compiled.form)
            except np.linalg.LinAlgError:  # slopes beyond all bounds
                continue
            if shared is not None and self._allowed(shared):
                found.append(shared)
        if not found:
            raise InputError("no form agrees with what is known", where="prior", hint="ask for less, or for longer")
        found.sort(key=lambda one: one.bits)
        return found[0], tuple(found[1:])

    def _allowed(self, found: Shared) -> bool:
        """Whether the law of every group that follows agrees with what is known."""
        fit = found.fit
        for group in range(fit.rows.count):
            values = dict(zip(fit.compiled.form.constants, map(sympy.Float, fit.values[group]), strict=True))
            expression = fit.compiled.form.expression.xreplace(values)
            if not self.prior.allows(expression, self.columns, fit.rows.of_group(group)[0]):
                return False
        return True

    def _look(self, form: OpenForm, some: GroupedRows, seen: dict[sympy.Expr, _Scored]) -> None:
        """Fit a form in some groups, unless it was looked at before."""
        key = form.key()
        count = len(form.start)
        if not self.prior.allows_functions(form.expression):
            return
        if key in seen or count == 0 or 2 * count > np.max(some.sizes) + 1:
            return
        compiled = self.compile(form)
        try:
            _, left = fit_each(compiled, some, some.units, seed=self.seed)
        except np.linalg.LinAlgError:  # slopes beyond all bounds
            return
        self.budget.charge("evaluate", _TRIED * some.y.size * (form.size + count), calls=_EVALUATIONS)
        sizes = some.sizes
        bits = np.minimum(sizes * np.log2(np.maximum(left, LEAST)) + 0.5 * count * np.log2(sizes), 0.0)
        seen[key] = _Scored(
            compiled,
            float(np.sum(bits) * self.rows.count / some.count) + _NODE * form.size,
            bool(np.max(left) < _EXACT),
        )

    def of_form(self, form: Template) -> Shared:
        """A form that is asked for, as it is written."""
        compiled = self.compile(OpenForm(form.expression, form.start, named=True))
        values, left = fit_each(
            compiled, self.rows, self.rows.units, seed=self.seed, starts=_STARTS_OF_FORM, spread=_SPREAD_OF_FORM
        )
        if not np.any(left < FAR / 10):
            raise InputError("a form is not defined on the rows", where="form", got=str(form.expression))
        values = written_alike(compiled, self.rows, self.rows.units, values, left)
        return share_constants(compiled, self.rows, values, left, self.rows.units)

    def sorted(self, form: OpenForm) -> Shared | None:
        """A form with its constants sorted, fitted to all groups; None where it is not defined on them."""
        compiled = self.compile(form)
        deviations = self.rows.units
        values, left = fit_each(compiled, self.rows, deviations, seed=self.seed)
        for _ in range(compiled.count):
            place = _redundant(compiled, self.rows, values, deviations)
            if place is None:
                break
            constant = compiled.form.constants[place]
            simpler = compiled.form.with_number(constant, sympy.Integer(_nearest(compiled.form.start[constant])))
            if simpler is None or not simpler.start:
                return None
            compiled = self.compile(simpler)
            values, left = fit_each(compiled, self.rows, deviations, seed=self.seed)
        if not np.all(np.isfinite(left)) or np.max(np.abs(values)) > _HUGE:
            return None
        self.budget.charge("evaluate", _TRIED * self.rows.y.size * (form.size + compiled.count), calls=_EVALUATIONS)
        values = written_alike(compiled, self.rows, deviations, values, left)
        found = share_constants(compiled, self.rows, values, left, deviations)
        found = without_idle_constants(found, self.compile)
        return with_relations(found, self.compile)


def _nearest(value: float) -> int:
    return min((0, 1, -1), key=lambda number: abs(number - value)) if abs(value) > 1e-12 else 0


def _redundant(compiled: CompiledForm, rows: GroupedRows, values: Any, units: Any) -> int | None:
    """A constant that the others make up for in all groups; None where every one is needed."""
    _, jacobian = compiled.evaluate(rows, values, units)
    size = np.linalg.norm(jacobian, axis=1)
    scaled = jacobian / np.where(size > 0, size, 1.0)[:, None]
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    if np.median(singular[:, -1] / np.maximum(singular[:, 0], 1e-300)) > _REDUNDANT:
        return None
    weight = np.median(np.abs(right[:, -1]), axis=0)
    likely = [k for k in range(compiled.count) if weight[k] > 0.1 * np.max(weight)]
    start = list(compiled.form.start.values())
    return min(likely, key=lambda k: (abs(abs(start[k]) - 1) > 1e-9, -weight[k]))


def _some_groups(rows: GroupedRows, seed: int) -> GroupedRows:
    """Some groups, at which many forms are looked at."""
    if rows.count <= _LOOKED_AT:
        return rows
    chosen = np.random.default_rng(seed).permutation(rows.count)[:_LOOKED_AT]
    return rows.only(np.isin(np.arange(rows.count), chosen))
