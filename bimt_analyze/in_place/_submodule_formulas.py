"""The formulas of a submodule of any model."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import nn

from bimt_train import InputError
from bimt_train.checkpoints import from_module

from ..formulas import Formula, Hints, SearchOptions, find_formula
from ..formulas.hints._differentiable import Differentiable
from ._model_run import Rows, evaluated
from ._place import Place, place_of

_ROWS = 400  # that a search looks at, if nothing is said
_ERROR = 1e-3  # of an output's deviation: how far a trained network is from its law, if nothing is said


def submodule_formulas(
    model: nn.Module,
    place: str | nn.Module,
    *,
    x: Rows,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    error: float = _ERROR,
    options: SearchOptions | None = None,
    progress: Callable[[str], None] | None = None,
    **changes: Any,
) -> tuple[Formula, ...]:
    """A formula for each output of a submodule, from what it reads and gives while the model runs.

    A network follows its law to an error, which is no noise: it is smooth, and longer formulas follow it further. So
    the search takes outputs to be known to ``error`` only, and prefers the shortest formula that meets them to that.

    Parameters
    ----------
    model : torch.nn.Module
        Any model. It is run in evaluation mode, and left as it is.
    place : str or torch.nn.Module
        The submodule, by its dotted path or itself; ``""`` for the whole model.
    x : array, tensor, tuple or mapping of them
        Rows of what the model takes.
    inputs, outputs : sequence of str, optional
        Names of what the submodule reads and gives; x1, x2, ... and y1, y2, ... if left out.
    error : float
        Root mean square by which the network misses its law, over the output's deviation. Where there are targets, the
        network's own error on them, or twice that.
    options : SearchOptions, optional
        Of each output's search, which looks at 400 of the submodule's rows if left out. All are looked at in the end.
    progress : callable, optional
        Called with the name of each stage as it begins.
    **changes
        Fields of `SearchOptions` that differ from ``options``, and what else `find_formula` takes, such as ``prior=``.

    Returns
    -------
    tuple of Formula
        In the order of the outputs; what `replace` takes.

    Raises
    ------
    InputError
        A place as `replace` refuses, names that are not one for each column, or an error that is negative.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    >>> model[0].weight.data, model[0].bias.data = torch.tensor([[2.0, 0.0], [0.0, 3.0]]), torch.tensor([0.0, 1.0])
    >>> [str(found) for found in submodule_formulas(model, "0", x=torch.rand(60, 2), time_limit=1)]
    ['y1 = 2*x1', 'y2 = 3*x2 + 1']
    """
    at = place_of(model, place, x)
    if not error >= 0:
        raise InputError("an error that is no size", where="error", expected="0 or more", got=str(error))
    names, given = _names(at, 0, "x", inputs), _names(at, 1, "y", outputs)
    read, gave = at.inputs.double().cpu().numpy(), at.outputs.double().cpu().numpy()
    asked = (options or SearchOptions(rows=_ROWS)).with_changes(tolerance=error)
    return tuple(
        find_formula(
            read, np.ascontiguousarray(gave[:, k]), names=names, output=output,
            hints=Hints(network=_predictor(at, k, read)), options=asked, progress=progress, **changes,
        )
        for k, output in enumerate(given)
    )  # fmt: skip


def _names(at: Place, end: int, letter: str, asked: Sequence[str]) -> tuple[str, ...]:
    """One name for each column."""
    width = at.widths[end]
    if asked and len(asked) != width:
        where = f"{('inputs', 'outputs')[end]} of {at.said}"
        raise InputError("names that do not fit", where=where, expected=f"{width} names", got=", ".join(asked))
    return tuple(asked) or tuple(f"{letter}{k}" for k in range(1, width + 1))


def _predictor(
    at: Place, k: int, read: Float64[np.ndarray, "rows inputs"]
) -> Callable[[Float64[np.ndarray, "some inputs"]], Float64[np.ndarray, " some"]]:
    """One output as a function, with derivatives where the submodule can be exported."""
    try:
        return Differentiable((from_module(at.module, read.astype(np.float32)),), k)
    except InputError:
        pass

    def predict(x: Float64[np.ndarray, "some inputs"]) -> Float64[np.ndarray, " some"]:
        with evaluated(at.module):
            found = at.module(torch.tensor(x).to(at.inputs))[..., k]
        return np.asarray(found.double().cpu().numpy())

    return predict
