"""The smallest tied plan that does a circuit's task as well."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from ._dense_part import DensePart, Layer, Rows
from ._fit_plan import Fitter, plainest
from ._quantities import Quantities, quantities
from ._tie import Ties
from ._tied_plan import TiedPlan

_LEAKS = (0.0, 0.1, 0.25)
_TOLD = (0.995, 0.0)
_ALIKE = (0.0, 0.5, 0.99)  # of the variance, that a copy must tell: the most sharing first, retraining decides
_MOST_USES = 40
_WORTH = 0.75  # share of the outputs' variance that quantities may miss before retraining
_HELD = 1  # plans that are made plain


def smallest(layers: Sequence[Layer], activation: str, fitter: Fitter, limit: float, *, seed: int) -> TiedPlan | None:
    """The plan of fewest numbers whose loss after retraining is within the limit.

    Parameters
    ----------
    layers : sequence of (weight, bias)
        The circuit, the last layer linear.
    activation : str
        A name in `bimt_train.models.ACTIVATIONS`.
    fitter : Fitter
        Rows and loss.
    limit : float
        The greatest loss.
    seed : int
        Of the search for maps.

    Returns
    -------
    TiedPlan or None
        None where no two parts of the circuit are the same function at this loss.
    """
    readings = sorted(_readings(layers, activation, fitter.x), key=_about)
    best, held, known = None, 0, set[tuple[object, ...]]()
    for found in readings:
        if held == _HELD or (best is not None and _fewest(found) >= best.numbers):
            break
        ties = Ties(found, fitter.x, seed)
        for alike in _ALIKE:
            plan = ties.plan(alike)
            about = (*_shapes(plan.modules), *(module for module, _ in plan.uses), *_support(found))
            if len(plan.modules) == len(plan.uses) or about in known:
                continue
            known.add(about)
            fitted, loss = fitter.fitted(plan, enough=limit)
            if loss > limit:
                continue
            held += 1
            plain = plainest(fitted.in_unit(), fitter, limit)
            best = plain if best is None or plain.numbers < best.numbers else best
            break
    return best


def _fewest(found: Quantities) -> int:
    """What a plan takes at least: one module for each number of arguments, the largest."""
    largest: dict[int, int] = {}
    for one in found.curved:
        largest[one.part.arguments] = max(largest.get(one.part.arguments, 0), one.part.numbers())
    return sum(largest.values())


def _about(found: Quantities) -> int:
    """What a plan takes about: as `_fewest`, and the numbers by which its uses and the outputs are read."""
    read = sum(np.count_nonzero(one.read) + one.part.arguments for one in found.curved)
    return int(_fewest(found) + read + np.count_nonzero(found.reading))


def _shapes(parts: Sequence[DensePart]) -> tuple[tuple[int, ...], ...]:
    return tuple(w.shape for part in parts for w, _ in part.layers)


def _readings(layers: Sequence[Layer], activation: str, x: Rows) -> Iterator[Quantities]:
    """Different ways to read the circuit as quantities."""
    known, wanted = set[tuple[object, ...]](), _outputs(layers, activation, x)
    heights = range(len(layers) - 1, 0, -1)
    for cut, leak, told, sums in product(heights, _LEAKS, _TOLD, (True, False)):
        found = quantities(layers, activation, x, cut=cut, leak=leak, told=told, sums=sums)
        if found is None:
            continue
        apart = found.additive(x)
        for one in (found, apart, found.shallow(x), apart.shallow(x)):
            about = (*_shapes([q.part for q in one.curved]), *_support(one))
            missed = ((one.predict(x) - wanted) ** 2).mean() / wanted.var(axis=0).mean()
            if about not in known and len(one.curved) <= _MOST_USES and missed <= _WORTH:
                known.add(about)
                yield one


def _support(found: Quantities) -> tuple[object, ...]:
    reads = tuple((one.read != 0).tobytes() for one in found.curved)
    return reads, (found.reading != 0).tobytes()


def _outputs(layers: Sequence[Layer], activation: str, x: Rows) -> Rows:
    own = tuple((np.asarray(w, dtype=np.float64), np.asarray(b, dtype=np.float64)) for w, b in layers)
    return DensePart(own, activation)(x)
