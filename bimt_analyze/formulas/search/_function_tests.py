"""Which function is tested for structure: the network, a surrogate of the rows, or none."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from .._formula import Predictor
from .._search_options import SearchOptions
from ..hints._differentiable import Differentiable
from ..hints._structural_tests import StructuralTestResult, structural_tests
from ..problem._search_problem import SearchProblem, deviation

_FEWEST_TESTED = 20  # rows: with fewer, a departure from a property is mostly chance
_COARSE = 0.05  # of y's deviation: a network that errs by more is too coarse for its derivatives to say anything
_CALLED, _TESTED_ROWS = 62, 300  # calls for each input, of a function that is tested, and rows of its derivatives
_SURROGATE_ROWS = 60  # and where there are at least so many rows, of which a fifth is held out


@dataclass(frozen=True)
class FunctionTests:
    """Structural tests of a network or a surrogate, where they are worth their time.

    Attributes
    ----------
    problem : SearchProblem
        The rows that forms are proposed from, and the work that may be done.
    network : callable or None
        The network's prediction, from [rows, inputs] to [rows].
    x : array of shape [some, inputs]
        All inputs of these rows.
    names : tuple of str
        The columns of ``x``.
    options : SearchOptions
        How many inputs are tested at most, and how long a surrogate takes.
    """

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
        from ..hints._surrogate import surrogate  # brings torch

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
