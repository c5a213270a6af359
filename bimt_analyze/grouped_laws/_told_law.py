"""A law of many groups as it is handed over: its constants named, every group measured, and a word for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from string import ascii_lowercase

import numpy as np
import sympy
from jaxtyping import Float64

from ..formulas._row_bounds import row_fit
from ..formulas.problem._budget import Budget
from ..formulas.problem._precision import RowPrecision, row_precision
from ..formulas.problem._search_problem import deviation
from ..formulas.problem._snapping import Constant
from ..formulas.problem._template import numeric
from ..formulas.search._candidate import UNEXPLAINED
from ..formulas.verdicts._data_words import PREDICTS, DataWord
from ._compiled_form import CompiledForm
from ._fit_each import fit_each
from ._grouped_law import GroupedLaw, GroupFit
from ._grouped_rows import GroupedRows
from ._joint_fit import JointFit
from ._open_form import OpenForm
from ._sharing import Shared

_RIVAL = 10.0  # bits within which another form is a rival
_MOST_LEFT = 0.2  # of the deviation: more may be a law that the rows do not resolve as well as noise
_ALIKE = 3.5  # standard errors of the correlation of neighbouring residuals
_EQUAL = 1e-6  # of the deviation: forms that differ by less on the rows are one
_SPARE = 2  # rows for each constant
_NAMED = 8
_UNFIT = frozenset("eEIOQSN")  # letters that mean something else in a formula


def told(
    found: Shared,
    numbers: dict[sympy.Dummy, sympy.Expr],
    rows: GroupedRows,
    columns: Sequence[sympy.Symbol],
    output: str,
    *,
    others: Sequence[Shared],
    precise: Float64[np.ndarray, "all columns"],
) -> GroupedLaw:
    """The law as a value.

    Parameters
    ----------
    found : Shared
        The chosen form, with its constants sorted.
    numbers : dict of sympy.Dummy to sympy.Expr
        The simple numbers of shared constants.
    rows : GroupedRows
        All rows.
    columns : sequence of sympy.Symbol
        The symbols of the inputs.
    output : str
        The name of the output.
    others : sequence of Shared
        The other forms, the shortest description first.
    precise : array of shape [all, columns]
        All rows as they were given, inputs and output, of which their precision is read.
    """
    fit, form = found.fit, found.fit.compiled.form
    names = _names(form, {str(c) for c in columns} | {output})
    shared = _shared_constants(fit, names, numbers)
    own = {
        names[constant]: (fit.values[:, place], np.sqrt(np.diag(fit.covariance(place))))
        for place, constant in enumerate(form.constants)
        if not fit.shared[place]
    }
    symbols = {c: sympy.Symbol(name, real=True) for c, name in names.items()}
    named = form.expression.xreplace(symbols)
    replaced = {
        sympy.Symbol(name, real=True): sympy.Float(c.value) if c.exact is None else c.exact
        for name, c in shared.items()
    }
    expression = named.xreplace(replaced)
    own_names = tuple(name for name in own if sympy.Symbol(name, real=True) in expression.free_symbols)
    law = _Law(found, rows, columns, expression, own_names)
    groups = tuple(law.groups(own))
    precision = row_precision(precise[:, :-1], precise[:, -1])
    r2, left_out, residual = law.fidelity()
    rival = law.rival(others)
    word, objections = law.word(left_out, residual, precision, groups, rival)
    apart = [str(one.label) for one in groups if not one.follows]
    said = [f"{len(apart)} of {len(groups)} groups do not follow: {_listed(apart)}"] if apart else []
    return GroupedLaw(
        output=output,
        inputs=tuple(map(str, columns)),
        form=named,
        expression=expression,
        shared=shared,
        own=own_names,
        groups=groups,
        word=word,
        r2=r2,
        left_out_r2=left_out,
        residual=residual,
        rival=rival if word == "one of several" else None,
        message="; ".join([*said, *objections]),
    )


def _shared_constants(
    fit: JointFit, names: Mapping[sympy.Dummy, str], numbers: Mapping[sympy.Dummy, sympy.Expr]
) -> dict[str, Constant]:
    """The constants that all groups share, by their names."""
    places = np.flatnonzero(fit.shared)
    errors = np.sqrt(np.diag(fit.shared_covariance()))
    constants = fit.compiled.form.constants
    return {
        names[constants[place]]: Constant(float(fit.values[0, place]), float(error), numbers.get(constants[place]))
        for place, error in zip(places, errors, strict=True)
    }


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _names(form: OpenForm, taken: set[str]) -> dict[sympy.Dummy, str]:
    """The names that a form was asked for with; else letters that no input has, in the order of reading."""
    expression, constants = form.expression, form.constants
    if form.named:
        return {constant: constant.name for constant in constants}
    letters = (letter for letter in _letters() if letter not in taken and letter not in _UNFIT)
    text = str(expression.xreplace({c: sympy.Symbol(f"_{k:02d}_", real=True) for k, c in enumerate(constants)}))
    order = sorted(range(len(constants)), key=lambda k: text.find(f"_{k:02d}_"))
    return {constants[k]: next(letters) for k in order}


def _letters() -> Iterator[str]:
    yield from ascii_lowercase
    for number in count(1):
        yield f"c{number}"


class _Law:
    """A law on its rows, while it is measured."""

    def __init__(
        self,
        found: Shared,
        rows: GroupedRows,
        columns: Sequence[sympy.Symbol],
        expression: sympy.Expr,
        own: Sequence[str],
    ) -> None:
        self.found, self.rows, self.columns, self.expression, self.own = found, rows, columns, expression, own
        self.followers = np.flatnonzero(found.follows)

    @property
    def decimals(self) -> int:
        """How many shared constants have no simple name."""
        return len(self.expression.atoms(sympy.Float))

    def groups(self, own: dict[str, tuple[np.ndarray, np.ndarray]]) -> Iterator[GroupFit]:
        """Every group, measured; ``own`` are the values of each constant that is a group's own, and their errors."""
        place = {int(g): k for k, g in enumerate(self.followers)}
        apart = self._apart(own)
        for g, label in enumerate(self.rows.labels):
            if g in place:
                constants = {
                    name: Constant(float(own[name][0][place[g]]), float(own[name][1][place[g]]), None)
                    for name in self.own
                }
            else:
                constants = {name: Constant(float(values[g]), float("inf"), None) for name, values in apart.items()}
            x, y = self.rows.of_group(g)
            with np.errstate(all="ignore"):
                left = (numeric(self._with(constants), self.columns)(x) - y) / deviation(y)
            residual = float(np.sqrt(np.mean(left**2)))
            residual = residual if np.isfinite(residual) else float("inf")
            yield GroupFit(label, len(y), constants, 1 - residual**2, residual, g in place)

    def _with(self, constants: dict[str, Constant]) -> sympy.Expr:
        return self.expression.xreplace(
            {sympy.Symbol(n, real=True): sympy.Float(c.value) for n, c in constants.items()}
        )

    def _apart(self, own: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, np.ndarray]:
        """The own constants of all groups, fitted with the shared ones held: those that do not follow need them."""
        if len(self.followers) == self.rows.count or not self.own:
            return {}
        opened = {sympy.Symbol(name, real=True): sympy.Dummy(name, real=True) for name in self.own}
        start = {opened[sympy.Symbol(name, real=True)]: float(np.median(own[name][0])) for name in self.own}
        compiled = CompiledForm.of(OpenForm(self.expression.xreplace(opened), start), self.columns, Budget.of(1.0))
        values, _ = fit_each(compiled, self.rows, self.rows.units, seed=0)
        return {name: values[:, k] for k, name in enumerate(self.own)}

    def fidelity(self) -> tuple[float, float, float]:
        """r2 on the rows, r2 of every row left out in turn, and what is left over the deviation."""
        fit = self.found.fit
        scale = (fit.units / fit.rows.units)[:, None]
        left = fit.residual * scale
        alone = left / np.maximum(1 - fit.leverage(), 1e-9)
        count = fit.rows.sizes.sum()
        mean, mean_alone = float(np.sum(left**2) / count), float(np.sum(alone[fit.rows.real] ** 2) / count)
        return 1 - mean, 1 - mean_alone, float(np.sqrt(mean))

    def rival(self, others: Sequence[Shared]) -> sympy.Expr | None:
        """One of the ``others`` that describes the rows as well, and differs on them."""
        mine = self.found.fit
        for other in others:
            if other.bits > self.found.bits + _RIVAL:
                return None
            if not np.array_equal(other.follows, self.found.follows):
                continue
            said = replace(mine.rows, y=mine.rows.y + mine.residual * mine.units[:, None])  # what this law says
            _, left = fit_each(other.fit.compiled, said, said.units, seed=0)
            if np.max(left) > _EQUAL:  # else this law is a case of the other form
                form = other.fit.compiled.form
                names = _names(form, {str(c) for c in self.columns})
                return form.expression.xreplace({c: sympy.Symbol(name, real=True) for c, name in names.items()})
        return None

    def word(
        self,
        left_out: float,
        residual: float,
        precision: RowPrecision,
        groups: Sequence[GroupFit],
        rival: sympy.Expr | None,
    ) -> tuple[DataWord, list[str]]:
        """What may be said of the law, and what speaks against more.

        Parameters
        ----------
        left_out : float
            R2 of every row left out in turn.
        residual : float
            Root mean square of what the law leaves, over the deviation.
        precision : RowPrecision
            How precisely the rows are known.
        groups : sequence of GroupFit
            The constants of each group.
        rival : sympy.Expr, optional
            Another form that the rows allow as well.
        """
        fit = self.found.fit
        if not left_out >= PREDICTS:
            return "none", [f"rows that are left out are predicted to r2 {left_out:.3f} only"]
        if int(fit.rows.sizes.sum()) < _SPARE * fit.parameters:
            return "interpolation", [f"{fit.parameters} constants for {int(fit.rows.sizes.sum())} rows"]
        if len(self.followers) <= self.rows.count / 2:
            return "interpolation", ["fewer than half of the groups follow"]
        met = [
            row_fit(
                self._with(dict(groups[int(g)].constants)), [str(c) for c in self.columns], x, y, precision=precision
            )
            for g in self.followers
            for x, y in [self.rows.of_group(int(g))]
        ]
        if all(one.worst <= one.bound for one in met):
            return "exact", []
        if all(one.within_precision for one in met):
            return (
                ("one of several", [f"{rival} describes the rows as well"])
                if rival is not None
                else ("within precision", [])
            )
        objections = self._objections(residual)
        if objections:
            return "interpolation", objections
        if rival is not None:
            return "one of several", [f"{rival} describes the rows as well"]
        return "within noise", []

    def _objections(self, residual: float) -> list[str]:
        """What speaks against calling the residual noise."""
        found = []
        if self.decimals > UNEXPLAINED:
            found.append(
                f"{self.decimals} shared constants have no simple name, so that the form may stand in for another"
            )
        if residual > _MOST_LEFT:
            found.append(f"{residual:.0%} of the deviation are left, which may be a law that these rows do not resolve")
        fit = self.found.fit
        for place, column in enumerate(self.columns):
            products, squares = 0.0, 0.0
            for g in range(fit.rows.count):
                real = fit.rows.real[g]
                ordered = fit.residual[g][real][np.argsort(fit.rows.x[g][real][:, place], kind="stable")]
                products += float(np.sum(ordered[1:] * ordered[:-1]))
                squares += float(np.sum((ordered[1:] * ordered[:-1]) ** 2))
            if squares > 0 and products / np.sqrt(squares) > _ALIKE:
                found.append(f"what is left of neighbouring rows along {column} is alike, so that it is no noise")
        return found
