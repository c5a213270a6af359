"""What is wrong with columns of numbers: nothing to learn from them, or the answer itself among the inputs."""

import numpy as np
from jaxtyping import Float

from ._faults import Fault, Spot
from .files._raw_table import Columns

_CHANGES = "values that differ"


def value_faults(inputs: Columns, outputs: Columns) -> list[Fault]:
    """The faults of numbers, among the rows that are left; nan is passed over.

    Parameters
    ----------
    inputs : list of (str, array)
        Labels and numbers of the inputs.
    outputs : list of (str, array)
        Labels and numbers of the targets.

    Returns
    -------
    list of Fault
        One of each kind.

    Examples
    --------
    >>> one, two = np.ones(3), np.array([1.0, 2.0, 2.0])
    >>> [fault.what for fault in value_faults([("a", one), ("b", two)], [("y", two)])]
    ['a constant column', 'an input that is a copy of the target']
    """
    still, answers = _constant(inputs), _constant(outputs)
    copies = {
        label: Spot(label, f"the same as {target!r}")
        for label, values in inputs
        for target, wanted in outputs
        if label not in still and values.size and np.array_equal(values, wanted, equal_nan=True)
    }
    far = [
        Spot(label, f"about {values[~np.isnan(values)][0]:g}")
        for label, values in (*inputs, *outputs)
        if label not in still and label not in answers and _beyond(values)
    ]
    drop, other = "drop it: there is nothing to learn from it", "name another target: there is nothing to learn"
    found = [
        Fault("a constant column", tuple(still.values()), _CHANGES, mends=(("--skip", *still),), advice=drop),
        Fault("a constant target", tuple(answers.values()), _CHANGES, advice=other),
        Fault(
            "an input that is a copy of the target", tuple(copies.values()), mends=(("--skip", *copies),),
            advice="leave it out of the inputs",
        ),
        Fault(
            "numbers whose squares are beyond double precision", tuple(far), "about 1e-150 to 1e150",
            advice="give the column in another unit",
        ),
    ]  # fmt: skip
    return [fault for fault in found if fault.spots]


def error_faults(errors: Columns) -> list[Fault]:
    """The fault of standard errors that are not positive, among the rows that are left; nan is passed over.

    Parameters
    ----------
    errors : list of (str, array)
        Labels and numbers of the columns of errors.

    Returns
    -------
    list of Fault
        One, or none.

    Examples
    --------
    >>> [fault.what for fault in error_faults([("s", np.array([0.1, 0.0]))])]
    ['an error of measurement that is not positive']
    """
    spots = []
    for label, values in errors:
        bad = np.flatnonzero(values <= 0)
        if len(bad):
            spots.append(
                Spot(label, f"{values[bad[0]]:g} in {len(bad)} rows" if len(bad) > 1 else f"{values[bad[0]]:g}")
            )
    what, mend = "an error of measurement that is not positive", "give every row the error that it has, or leave it out"
    return [Fault(what, tuple(spots), "positive numbers", advice=mend)] if spots else []


def _constant(columns: Columns) -> dict[str, Spot]:
    found = {}
    for label, values in columns:
        known = values[~np.isnan(values)]
        if known.size and (known == known[0]).all():
            found[label] = Spot(label, f"always {known[0]:g}")
    return found


def _beyond(values: Float[np.ndarray, " rows"]) -> bool:
    """Whether a column that changes has no deviation that can be computed."""
    known = values[np.isfinite(values)]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return bool(known.size) and not 0 < known.std() < np.inf
