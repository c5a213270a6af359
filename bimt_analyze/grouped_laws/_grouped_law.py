"""One law of many groups as a value: its form, its constants, and the groups that follow it."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.extras import need
from bimt_train.showing import Shown, cut, to_cell

from ..formulas.export._cells import in_dollars, set_formulas
from ..formulas.problem._snapping import Constant
from ..formulas.problem._template import numeric
from ..formulas.symbolic._rounded import DIGITS, written
from ..formulas.verdicts._data_words import IDENTIFIED, DataWord

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 110  # characters at a prompt
_NAMED = 6  # groups that are named


@dataclass(frozen=True, repr=False)
class GroupFit(Shown):
    """How one group follows a common law.

    Attributes
    ----------
    label : str, int, ...
        What the group is called.
    rows : int
        How many rows it has.
    constants : mapping of str to Constant
        The constants of its own, by name, with their standard errors.
    r2 : float
        On its rows.
    residual : float
        Root mean square of what is left of its rows, over their deviation.
    follows : bool
        Whether it follows the law; the constants of one that does not are the best for it, and mean little.

    Examples
    --------
    >>> GroupFit("a", 12, {"k": Constant(2.0, 0.1, None)}, r2=0.99, residual=0.1, follows=True)
    GroupFit(a: k = 2 ± 0.1, r2 0.9900)
    """

    label: Hashable
    rows: int
    constants: Mapping[str, Constant]
    r2: float
    residual: float
    follows: bool

    def words(self) -> str:
        """The group in one line: the constants of its own, and how well it follows."""
        values = ", ".join(f"{name} = {c.value:.4g} ± {c.error:.2g}" for name, c in self.constants.items())
        return f"{self.label}: {values or 'no constants of its own'}, r2 {self.r2:.4f}" + (
            "" if self.follows else ", does not follow"
        )

    def _brief(self) -> str:
        return self.words()


@dataclass(frozen=True, repr=False)
class GroupedLaw(Shown):
    """One form that all groups share, with constants of its own in each group.

    Attributes
    ----------
    output : str
        The name of the output.
    inputs : tuple of str
        The columns that it was searched in.
    form : sympy.Expr
        The form, all its constants by name; the symbols are real.
    expression : sympy.Expr
        The form with the numbers of the shared constants in it, and the groups' own by name.
    shared : mapping of str to Constant
        The constants that all groups share, by name.
    own : tuple of str
        The names of the constants that each group has for itself.
    groups : tuple of GroupFit
        Each group, in the order in which they first appear.
    word : str
        What may be said of it as a law of the data: one of `DATA_WORDS`.
    r2 : float
        On all rows of the groups that follow, each group about its own mean.
    left_out_r2 : float
        The same, every row predicted without itself (to first order).
    residual : float
        Root mean square of what is left of these rows, over each group's deviation.
    rival : sympy.Expr or None
        Another form that describes the rows as well, its constants by name; None without one.
    message : str
        What speaks against calling the law identified, and which groups do not follow, in words.

    Examples
    --------
    >>> t, a = sympy.symbols("t a", real=True)
    >>> own = {"p": {"a": Constant(1.0, 0.1, None)}, "q": {"a": Constant(2.0, 0.1, None)}}
    >>> fits = tuple(GroupFit(label, 9, constants, 0.99, 0.1, True) for label, constants in own.items())
    >>> law = GroupedLaw("y", ("t",), a * t, a * t, {}, ("a",), fits, "within noise", 0.99, 0.99, 0.1)
    >>> law
    GroupedLaw(y = a*t, a in each group: within noise, 2 groups, r2 0.9900)
    >>> law.in_group("q"), law.predict(np.array([[3.0]]), ["q"]).tolist()
    (2.0*t, [6.0])
    """

    output: str
    inputs: tuple[str, ...]
    form: sympy.Expr
    expression: sympy.Expr
    shared: Mapping[str, Constant]
    own: tuple[str, ...]
    groups: tuple[GroupFit, ...]
    word: DataWord
    r2: float
    left_out_r2: float
    residual: float
    rival: sympy.Expr | None = None
    message: str = ""

    @property
    def labels(self) -> tuple[Hashable, ...]:
        """What the groups are called."""
        return tuple(one.label for one in self.groups)

    @property
    def apart(self) -> tuple[Hashable, ...]:
        """The groups that do not follow the law."""
        return tuple(one.label for one in self.groups if not one.follows)

    @property
    def identified(self) -> bool:
        """Whether its form is identified: exactly, within the rows' precision, or within noise."""
        return self.word in IDENTIFIED

    def constants(self, name: str) -> Float64[np.ndarray, "groups"]:
        """The values of one constant, a group each.

        Parameters
        ----------
        name : str
            Its name, own or shared.
        """
        if name in self.shared:
            return np.full(len(self.groups), self.shared[name].value)
        if name not in self.own:
            raise InputError("no such constant", expected=f"one of {[*self.own, *self.shared]}", got=repr(name))
        return np.array([one.constants[name].value for one in self.groups])

    def in_group(self, label: Hashable) -> sympy.Expr:
        """The law of one group, all numbers in it.

        Parameters
        ----------
        label : str, int, ...
            What the group is called.
        """
        for one in self.groups:
            if one.label == label:
                return self.expression.xreplace(
                    {sympy.Symbol(name, real=True): sympy.Float(c.value) for name, c in one.constants.items()}
                )
        raise InputError("no such group", expected=f"one of {list(self.labels)[:_NAMED]}", got=repr(label))

    def predict(self, x: Float64[np.ndarray, "rows inputs"], groups: Any) -> Float64[np.ndarray, "rows"]:
        """The law's values.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            Rows of all ``inputs``, in their order.
        groups : sequence
            The label of each row's group.
        """
        symbols = [sympy.Symbol(name, real=True) for name in self.inputs]
        labels = np.array([label.item() if isinstance(label, np.generic) else label for label in groups], dtype=object)
        found = np.full(len(x), np.nan)
        for label in dict.fromkeys(labels):
            here = labels == label
            found[here] = numeric(self.in_group(label), symbols)(x[here])
        return found

    def verdict(self) -> str:
        """The word, and how well the rows are met, in one line."""
        follow = len(self.groups) - len(self.apart)
        of = f"{follow} of {len(self.groups)} groups" if self.apart else f"{follow} groups"
        return f"{self.word}, {of}, r2 {self.r2:.4f}"

    def __str__(self) -> str:
        own = f", {', '.join(self.own)} in each group" if self.own else ", the same in all groups"
        return f"{self.output} = {written(self.expression, DIGITS)}{own}"

    def _brief(self) -> str:
        return f"{cut(str(self), _SHOWN)}: {self.verdict()}"

    def _repr_latex_(self) -> str | None:
        return in_dollars(self.expression, output=self.output)

    def _repr_html_(self) -> str:
        shown = [
            (
                one.label,
                one.rows,
                *(f"{c.value:.4g} ± {c.error:.1g}" for c in one.constants.values()),
                one.r2,
                one.follows,
            )
            for one in self.groups
        ]
        lines = [*set_formulas({self.output: self.expression}).values(), *([self.message] if self.message else [])]
        columns = ("group", "rows", *self.own, "r2", "follows")
        return to_cell(self.verdict(), lines=lines, columns=columns, rows=shown)

    def to_frame(self) -> "pd.DataFrame":
        """One row a group.

        Returns
        -------
        pandas.DataFrame
            ``group``, ``rows``, each own constant and its ``_error``, ``r2``, ``residual`` and ``follows``.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        return pd.DataFrame(
            {
                "group": one.label,
                "rows": one.rows,
                **{
                    key: v
                    for name, c in one.constants.items()
                    for key, v in ((name, c.value), (f"{name}_error", c.error))
                },
                "r2": one.r2,
                "residual": one.residual,
                "follows": one.follows,
            }
            for one in self.groups
        )

    def to_json(self) -> dict[str, Any]:
        """The law and what is said of it as plain values."""
        return {
            "output": self.output,
            "inputs": list(self.inputs),
            "form": str(self.form),
            "expression": str(self.expression),
            "shared": {name: _plain(c) for name, c in self.shared.items()},
            "own": list(self.own),
            "groups": [
                {
                    "group": one.label if isinstance(one.label, str | int | float | bool) else str(one.label),
                    "rows": one.rows,
                    "constants": {name: _plain(c) for name, c in one.constants.items()},
                    "r2": one.r2,
                    "residual": one.residual,
                    "follows": one.follows,
                }
                for one in self.groups
            ],
            "word": self.word,
            "r2": self.r2,
            "left_out_r2": self.left_out_r2,
            "residual": self.residual,
            "rival": None if self.rival is None else str(self.rival),
            "message": self.message,
        }


def _plain(constant: Constant) -> dict[str, Any]:
    """A constant as plain values; an error that the rows leave open is no number."""
    error = constant.error if np.isfinite(constant.error) else None
    return {"value": constant.value, "error": error, "exact": None if constant.exact is None else str(constant.exact)}
