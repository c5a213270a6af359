"""Which parts of the outputs' formulas a signal carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import sympy
from jaxtyping import Float64

from ..formulas.problem._template import numeric
from ..formulas.symbolic._tidy import complexity
from ._carried import Decoder, readings, told
from ._subexpressions import subexpressions

Parts = Float64[np.ndarray, "rows parts"]
Inputs = Float64[np.ndarray, "rows inputs"]

CARRIED = 0.9  # r2 both ways, from which on a signal is said to carry a quantity
_SURE = 0.98  # from here on no more quantities are looked for in one signal
_TOGETHER, _TRIED = 3, 80  # quantities in one signal, and sets of them that are tried
_AS_WELL = 2.0  # times what the best leaves: another part that leaves no more is carried as well
_REPEATS = 1 - 1e-9  # correlation of two quantities that are one up to scale and offset


@dataclass(frozen=True, eq=False)
class CarriedQuantities:
    """Quantities that a signal carries.

    Attributes
    ----------
    expressions : tuple of sympy.Expr
        The quantities in the task's inputs.
    decoder : Decoder
        Reads them off the signal.
    told : float
        r2 to which they determine the signal.
    rivals : tuple of sympy.Expr
        For one quantity: others that the signal carries as well, by scale and offset alone.
    """

    expressions: tuple[sympy.Expr, ...]
    decoder: Decoder
    told: float
    rivals: tuple[sympy.Expr, ...] = ()

    @property
    def r2(self) -> float:
        """The least of all r2, from the quantities to the signal and back."""
        return min(*self.decoder.r2, self.told)


def carried_quantities(
    parts: Parts,
    x: Inputs,
    expressions: Sequence[sympy.Expr],
    *,
    inputs: Sequence[sympy.Symbol],
    reached: Sequence[str],
) -> CarriedQuantities | None:
    """The parts of some formulas that a signal carries: each tells the other.

    Parameters
    ----------
    parts : array of float64, shape (rows, parts)
        The signal.
    x : array of float64, shape (rows, inputs)
        The inputs, in the task's units.
    expressions : sequence of sympy.Expr
        The outputs' formulas, whose parts are tried alone and up to three together.
    inputs : sequence of sympy.Symbol
        The symbols of the columns of ``x``.
    reached : sequence of str
        Names of the inputs from which a path leads to the signal.

    Returns
    -------
    CarriedQuantities or None
        Of those that leave at most twice what the best leaves: the fewest, then those read off by scale and offset,
        then the shortest. None where no part is carried to r2 0.9.

    Examples
    --------
    >>> x1, x2 = sympy.symbols("x1 x2", real=True)
    >>> x = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    >>> law = sympy.sqrt((x1 - x2) ** 2 + 1)
    >>> signal = 3 * (x[:, :1] - x[:, 1:]) ** 2 + 2
    >>> carried_quantities(signal, x, [law], inputs=[x1, x2], reached=["x1", "x2"]).expressions
    ((x1 - x2)**2,)
    """
    kept, values = _distinct(subexpressions(expressions, reached), x, inputs)
    found: list[CarriedQuantities] = []
    read = readings(parts, np.stack(values, axis=1) if values else np.zeros((len(x), 0)))
    for size in range(1, _TOGETHER + 1):
        for some in list(combinations(range(len(kept)), size))[:_TRIED]:
            if any(read.best(k) < CARRIED for k in some):
                continue
            columns = np.stack([values[k] for k in some], axis=1)
            tried = CarriedQuantities(tuple(kept[k] for k in some), read.decoder(some), told(columns, parts))
            if tried.r2 >= CARRIED:
                found.append(tried)
        if any(one.r2 >= _SURE for one in found):
            break
    if not found:
        return None
    least = min(1 - one.r2 for one in found)
    near = sorted((one for one in found if 1 - one.r2 <= _AS_WELL * least), key=_order)
    first = near[0]
    single = len(first.expressions) == 1 and first.decoder.affine
    rivals = [one.expressions[0] for one in near[1:] if single and len(one.expressions) == 1 and one.decoder.affine]
    return CarriedQuantities(first.expressions, first.decoder, first.told, tuple(rivals))


def _order(one: CarriedQuantities) -> tuple[int, bool, int, float]:
    return len(one.expressions), not one.decoder.affine, sum(map(complexity, one.expressions)), 1 - one.r2


def _distinct(
    parts: Sequence[sympy.Expr], x: Inputs, inputs: Sequence[sympy.Symbol]
) -> tuple[list[sympy.Expr], list[Float64[np.ndarray, " rows"]]]:
    """Those that are finite and vary, each once up to scale and offset, with their values."""
    kept: list[sympy.Expr] = []
    values: list[Float64[np.ndarray, " rows"]] = []
    for part in parts:
        column = numeric(part, inputs)(x)
        if not np.isfinite(column).all() or column.std() <= 1e-12 * np.abs(column).max():
            continue
        if not any(abs(np.corrcoef(column, other)[0, 1]) > _REPEATS for other in values):
            kept.append(part)
            values.append(column)
    return kept, values
