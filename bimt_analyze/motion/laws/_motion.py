"""The laws of motion of a system, and how well they predict where it goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import sympy
from jaxtyping import Bool, Float64
from numpy.typing import ArrayLike

from bimt_train import InputError
from bimt_train.extras import need
from bimt_train.showing import Shown, to_cell

from ...formulas.export._cells import set_formulas
from ...formulas.problem._template import numeric
from ..integration._integrate import integrated
from ._conserved import Conserved
from ._equation import Equation

if TYPE_CHECKING:
    import pandas as pd

MotionWord = Literal["within precision", "within noise", "one of several", "interpolation", "none"]

MOTION_WORDS: Mapping[MotionWord, str] = MappingProxyType(
    {
        "within precision": "no noise is seen, and trajectories that are integrated piece by piece meet every variable "
        "to 1e-6 of its deviation; no other form does so in as short a description",
        "within noise": "what integrated pieces miss is as large as the estimated noise and like it, and no other form "
        "that was fitted, or is one step away, is within 10 bits of the description length",
        "one of several": "as for the words above, but another form, which is named, is within 10 bits",
        "interpolation": "it predicts held-out trajectories to r2 0.9 or better, and is not to be read as a law, or "
        "the time limit cut the search for rivals short",
        "none": "it does not predict held-out trajectories to r2 0.9, or there are none",
    }
)
"""Each word for the laws of motion, the strongest first, with its definition. All but the last need trajectories from
other starts, which are predicted to r2 0.9 or better; the first three, at most three constants without a simple name in
each equation."""


@dataclass(frozen=True, repr=False)
class Motion(Shown):
    """The laws of motion of a system, one equation for each variable.

    Attributes
    ----------
    variables : tuple of str
        The names of the variables.
    equations : tuple of Equation
        One for each variable, in their order.
    word : str
        What may be said of them: one of `MOTION_WORDS`.
    r2 : float
        1 minus the mean square of what whole trajectories, integrated from their first states, miss of the measured
        ones, over each variable's variance.
    held_r2 : float or None
        The same for held-out trajectories; None without such.
    until : float
        How long the longest of these (of all, without held-out ones) lasts, in the user's unit of time.
    noise : tuple of float
        The estimated standard deviation of each variable's noise, in its own unit; 0 where none is seen.
    missed : tuple of float
        Root mean square of what pieces of trajectories, each integrated from a start of its own, miss of each
        variable, over the variable's deviation.
    rival : tuple of Equation
        The equations of another form that describes the trajectories as well; empty without one.
    message : str
        How this was checked, in words.
    cut : tuple of str
        The stages of the search that the time limit cut short; empty where there was time for everything.
    conserved : tuple of Conserved
        Independent quantities that the equations conserve, the plainest first; those of a library are searched.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> motion = Motion(("x",), (Equation("x", -x, ()),), "none", 0.99, None, 5.0, (0.0,), (1e-9,))
    >>> motion
    Motion(x' = -x: none, r2 0.9900)
    >>> motion.predict([2.0], [0.0, 1.0]).round(4).tolist()
    [[2.0], [0.7358]]
    """

    variables: tuple[str, ...]
    equations: tuple[Equation, ...]
    word: MotionWord
    r2: float
    held_r2: float | None
    until: float
    noise: tuple[float, ...]
    missed: tuple[float, ...]
    rival: tuple[Equation, ...] = ()
    message: str = ""
    cut: tuple[str, ...] = ()
    conserved: tuple[Conserved, ...] = ()

    @property
    def order(self) -> int:
        """Which derivative the equations give."""
        return self.equations[0].order

    @property
    def drivers(self) -> dict[str, tuple[str, ...]]:
        """Which variables drive which: variable -> those that its equation depends on."""
        found = {}
        for one in self.equations:
            used = {name.removesuffix("_dot") if self.order == 2 else name for name in one.drivers}
            found[one.variable] = tuple(name for name in self.variables if name in used)
        return found

    def adjacency(self) -> Bool[np.ndarray, "variables variables"]:
        """The graph of the system: entry [i, j] is True where variable j drives variable i."""
        drivers = self.drivers
        return np.array([[one in drivers[other] for one in self.variables] for other in self.variables])

    def slopes(self, states: Float64[np.ndarray, "rows states"]) -> Float64[np.ndarray, "rows variables"]:
        """The right-hand sides at given states.

        Parameters
        ----------
        states : array of shape [rows, states]
            The variables; of order two, their speeds behind them.
        """
        symbols = [sympy.Symbol(name, real=True) for name in self._states]
        return np.stack([numeric(one.expression, symbols)(states) for one in self.equations], axis=1)

    def predict(self, start: ArrayLike, times: ArrayLike) -> Float64[np.ndarray, "times variables"]:
        """The trajectory from a start on.

        Parameters
        ----------
        start : array of shape [variables]
            The state at the first time; of order two, the speeds follow the variables.
        times : array of shape [times]
            When the state is asked for, growing.

        Returns
        -------
        array of shape [times, variables]
            NaN from where on the state grows without bound.

        Raises
        ------
        InputError
            For a start of another size.
        """
        state, known = np.asarray(start, np.float64), np.asarray(times, np.float64)
        if state.shape != (len(self._states),):
            raise InputError(
                "a start does not fit", expected=f"values of {', '.join(self._states)}", got=f"shape {state.shape}"
            )
        symbols = [sympy.Symbol(name, real=True) for name in self._states]
        sides = [*symbols[len(self.variables) :], *(one.expression for one in self.equations)]
        return integrated(sides, symbols, state, known)[:, : len(self.variables)]

    @property
    def _states(self) -> tuple[str, ...]:
        return state_names(self.variables, self.order)

    def verdict(self) -> str:
        """The word, how it was checked, and what is conserved, in one line."""
        predicts = (
            f"r2 {self.r2:.4f}" if self.held_r2 is None else f"held-out r2 {self.held_r2:.4f} until t = {self.until:g}"
        )
        kept = f"; conserved: {', '.join(map(str, self.conserved))}" if self.conserved else ""
        return f"{self.word}, {predicts}{kept}"

    def __str__(self) -> str:
        return "\n".join(map(str, self.equations))

    def _brief(self) -> str:
        return f"{'; '.join(map(str, self.equations))}: {self.verdict()}"

    def _repr_html_(self) -> str:
        lines = set_formulas({one.left: one.expression for one in self.equations}).values()
        return to_cell(self.verdict(), lines=[*lines, self.message])

    def latex(self) -> str:
        """All equations in LaTeX, one a line."""
        return "\\\\\n".join(one.latex() for one in self.equations)

    def to_frame(self) -> "pd.DataFrame":
        """One row an equation.

        Returns
        -------
        pandas.DataFrame
            ``variable``, ``order``, ``expression``, ``drivers``, ``complexity``, ``noise`` and ``missed``.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        told = zip(self.equations, self.noise, self.missed, strict=True)
        return pd.DataFrame([one.to_json() | {"noise": noise, "missed": missed} for one, noise, missed in told])

    def to_json(self) -> dict[str, Any]:
        """The laws and what is said of them as plain values."""
        return {
            "equations": [one.to_json() for one in self.equations],
            "word": self.word,
            "r2": self.r2,
            "held_r2": self.held_r2,
            "until": self.until,
            "noise": list(self.noise),
            "missed": list(self.missed),
            "rival": [str(one.expression) for one in self.rival],
            "message": self.message,
            "cut": list(self.cut),
            "conserved": [one.to_json() for one in self.conserved],
        }


def state_names(variables: Sequence[str], order: int) -> tuple[str, ...]:
    """The names of all that makes up a state: the variables, and of order two their speeds.

    Parameters
    ----------
    variables : sequence of str
        The names of the variables.
    order : int
        1 or 2.
    """
    return (*variables, *(f"{name}_dot" for name in variables)) if order == 2 else tuple(variables)
