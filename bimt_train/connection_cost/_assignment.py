"""Which neuron takes which slot at the least total cost: exactly, or in very large groups nearly so."""

import numpy as np
from jaxtyping import Float64, Int
from scipy.optimize import linear_sum_assignment

Matrix = Float64[np.ndarray, "_ _"]
Slots = Int[np.ndarray, "_"]

EXACT = 1500  # neurons of a group that are assigned exactly: in a second, and time grows with their cube
_WINDOW, _PASSES = 128, 12  # slots that change hands at once; passes over all of them, at most
LEAST_GAIN = 1e-4  # of the cost: a pass that gains less is the last


def assignment(costs: Matrix, old: Slots | None = None) -> Slots:
    """The permutation of least total cost, exact up to 1,500 neurons.

    In larger groups neurons are sorted by the slot that suits each best, or stay in the order that they have where it
    is cheaper. Then the neurons of some slots at a time are assigned exactly among these slots: of 128 that follow each
    other, and of 128 that are spread evenly, in turn, until a pass gains less than a ten-thousandth.

    Parameters
    ----------
    costs : array of float, [neuron, slot]
        What each neuron costs at each position.
    old : array of int, [neuron], or None
        The slots that the neurons have.

    Returns
    -------
    array of int, [neuron]
        The slot of each neuron.

    Examples
    --------
    >>> assignment(np.array([[2.0, 1.0], [0.0, 3.0]]))
    array([1, 0])
    """
    if len(costs) <= EXACT:
        return np.asarray(linear_sum_assignment(costs)[1])
    rows = np.arange(len(costs))
    slots = np.empty_like(rows)
    slots[np.argsort(costs.argmin(axis=1), kind="stable")] = rows
    if old is not None and costs[rows, old].sum() < costs[rows, slots].sum():
        slots = old.copy()
    cost = float(costs[rows, slots].sum())
    for number in range(_PASSES):
        for window in _windows(len(rows), spread=number % 2 == 1):
            _settle(costs, slots, window)
        before, cost = cost, float(costs[rows, slots].sum())
        if number and before - cost <= LEAST_GAIN * abs(before):
            break
    return slots


def assign_blocks(costs: Matrix, heads: int = 1, old: Slots | None = None) -> Slots:
    """The permutation of least total cost that keeps blocks together: within blocks, then among them.

    Parameters
    ----------
    costs : array of float, [neuron, slot]
        What each neuron costs at each position.
    heads : int
        Number of equal blocks.
    old : array of int, [neuron], or None
        The slots that the neurons have.

    Returns
    -------
    array of int, [neuron]
        The slot of each neuron.

    Examples
    --------
    >>> assign_blocks(np.array([[2.0, 1.0], [0.0, 3.0]]))
    array([1, 0])
    """
    width = costs.shape[0] // heads
    if heads == 1:
        return assignment(costs, old)
    blocks = costs.reshape(heads, width, heads, width).swapaxes(1, 2)
    inner = np.array([[linear_sum_assignment(block)[1] for block in row] for row in blocks])
    totals = np.take_along_axis(blocks, inner[..., None], axis=3).sum((2, 3))
    chosen = linear_sum_assignment(totals)[1]
    return np.concatenate([block * width + inner[head, block] for head, block in enumerate(chosen)])


def _windows(size: int, *, spread: bool) -> list[Slots]:
    """Sets of slots: such as follow each other, each overlapping the next by half, or such as are spread evenly."""
    if spread:
        step = -(-size // _WINDOW)
        return [np.arange(start, size, step) for start in range(step)]
    starts = range(0, size - _WINDOW // 2, _WINDOW // 2)
    return [np.arange(start, min(start + _WINDOW, size)) for start in starts]


def _settle(costs: Matrix, slots: Slots, window: Slots) -> None:
    """Assign the neurons of some slots among these, in place."""
    holder = np.empty_like(slots)
    holder[slots] = np.arange(len(slots))
    inside = holder[window]
    slots[inside] = window[linear_sum_assignment(costs[np.ix_(inside, window)])[1]]
