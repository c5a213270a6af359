"""Certify on a finite domain that a network decides as a formula or a table says, by trying every combination."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint

from ._certificate import Certificate
from ._network_data import network_data
from .checker._evaluate import Unreadable
from .checker._exact_fields import Refused, written
from .checker._values_claim import MOST, SAME, ValuesClaim

if TYPE_CHECKING:
    import sympy

_FEW = 1000  # values of an input, of which a column of the rows may have so many to be a domain


def certify_decisions(
    checkpoint: Checkpoint,
    formula: "sympy.Basic | str | Sequence[int] | None" = None,
    *,
    output: str | None = None,
    values: Sequence[Iterable[float]] | None = None,
    threshold: float = 0.0,
) -> Certificate:
    """Prove that a network decides as a formula says at every combination of the values of its inputs.

    With an output the decision is whether it is above the threshold: with 0, whether the logit says yes. Without one it
    is which output is the largest. All combinations are evaluated, with their rounding; the certificate has the least
    margin.

    Parameters
    ----------
    checkpoint : Checkpoint
        A feed-forward network of numbers or of tokens, with its task.
    formula : sympy.Basic, str, sequence of int or None
        In the names of the task's inputs: logic (``&``, ``|``, ``~``, ``^``, ``And``, ``Or``, ``Not``, ``Xor``,
        ``Implies``, ``Equivalent``; a value is true if it is above 0), whole numbers with ``+ - * %`` and comparisons.
        Or a table with one whole number for each combination, the last input's values running fastest. Left out, the
        table of the targets in the checkpoint's rows, which must then hold every combination.
    output : str, optional
        The name of the output; left out, the largest output decides.
    values : sequence of iterables of float, optional
        The values of each input; left out, those that occur in the checkpoint's rows.
    threshold : float, default 0.0
        In the task's units; 0.5 for a network that ends in a sigmoid.

    Returns
    -------
    Certificate
        ``margin`` is proved.

    Raises
    ------
    InputError
        A combination where the network decides otherwise, which is named; more than a million combinations; a formula
        that is none of logic and whole numbers; rows that do not hold every combination.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> weights = {"weight": np.array([[2.0, 2.0]]), "bias": np.array([-3.0])}
    >>> checkpoint = from_state_dict(weights, activation="relu", ranges=(0, 1))
    >>> certify_decisions(checkpoint, "x1 & x2", output="y1", values=[(0, 1), (0, 1)]).margin.__round__(6)
    1.0
    >>> certify_decisions(checkpoint, "x1 | x2", output="y1", values=[(0, 1), (0, 1)])
    Traceback (most recent call last):
        ...
    bimt_train._errors.InputError: no certificate: x1 | x2: got another decision at x1 = 0, x2 = 1
    """
    task, rows = checkpoint.task, np.concatenate([checkpoint.probe.x_train, checkpoint.probe.x_test])
    if len(rows[0]) != len(task.inputs) or (output is not None and output not in task.outputs):
        raise InputError("unknown output", expected=", ".join(task.outputs), got=str(output))
    domain = [np.unique(np.asarray(list(some), dtype=np.float64)) for some in (rows.T if values is None else values)]
    if values is None and max(map(len, domain)) > _FEW:
        raise InputError("inputs that take too many values", expected=f"at most {_FEW} each", hint="give values")
    if np.prod([float(len(some)) for some in domain]) > MOST:
        raise InputError("too many combinations of values", expected=f"at most {MOST}", hint="give fewer values")
    if formula is None:
        formula = _table(checkpoint, domain, output)
    text = formula if isinstance(formula, str) else _text(formula)
    claim: dict[str, Any] = {
        "output": output,
        "formula": text,
        "inputs": list(task.inputs),
        "values": [written(some) for some in domain],
        "threshold": written([threshold]),
        "margin": written([1.0]),
    }
    network = network_data(checkpoint.network, task)
    try:
        read = ValuesClaim.of(claim, network)
        least, mean, count = read.tried()
    except (Refused, Unreadable) as error:
        shown = text if len(text) < 80 else f"{text[:77]}..."
        raise InputError("no certificate", where=shown, got=str(error)) from None
    claim["margin"] = written([least - SAME * (1 + mean) / 4])
    return Certificate.of(claim, network, {"points": count, "mean": written([mean])}, complete=True)


def _text(formula: Any) -> str:
    if hasattr(formula, "free_symbols"):
        return str(formula)
    words = [str(int(label)) for label in formula]
    return f"table {(' ' if max(map(len, words)) > 1 else '').join(words)}"


def _table(checkpoint: Checkpoint, domain: Sequence[np.ndarray], output: str | None) -> list[int]:
    """The targets of the checkpoint's rows, in the order of all combinations."""
    task, probe = checkpoint.task, checkpoint.probe
    x = np.concatenate([probe.x_train, probe.x_test])
    y = np.concatenate([probe.y_train, probe.y_test])
    if output is None:
        labels = y[:, 0] if y.shape[1] == 1 else y.argmax(axis=1)
    else:
        labels = (y[:, task.outputs.index(output)] > 0.5).astype(np.float64)
    places = np.ravel_multi_index(
        tuple(np.searchsorted(some, column) for some, column in zip(domain, x.T, strict=True)), [len(d) for d in domain]
    )
    table = np.full(int(np.prod([len(some) for some in domain])), -1)
    table[places] = labels
    if (table < 0).any() or (table[places] != labels).any():
        expected = f"one target for each of {len(table)} combinations of values"
        got = "a combination with two targets" if (table >= 0).all() else f"{int((table < 0).sum())} without a row"
        raise InputError("rows that are no table", expected=expected, got=got, hint="give a formula")
    return [int(label) for label in table]
