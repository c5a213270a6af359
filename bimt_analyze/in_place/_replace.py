"""A submodule of a model replaced, in a new model."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from bimt_train import InputError

from ..export._measurement import least_seconds
from ._domain import domain_edges
from ._formula_layer import FormulaLayer
from ._layer_of import Asked, fitted, layer_of
from ._model_run import Rows, evaluated, output_of, taken
from ._place import Place, place_of
from ._replacement import Replacement

Loss = Callable[[Tensor, Tensor], Tensor]


def replace(
    model: nn.Module,
    place: str | nn.Module,
    *,
    by: Any,
    x: Rows,
    y: Any = None,
    loss: Loss = functional.mse_loss,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    measure: bool = True,
) -> Replacement:
    """A copy of a model in which a submodule is a formula, a circuit, a table or another module.

    All other names of the model's parameters stay, and so does the model that is given. The new layer can be trained,
    alone or with all else; `read_back` gives its formulas at their present numbers.

    Parameters
    ----------
    model : torch.nn.Module
        Any model. It is run in evaluation mode, and left as it is.
    place : str or torch.nn.Module
        The submodule, by its dotted path or itself; ``""`` for the whole model. It reads a tensor (..., inputs) and
        gives a tensor (..., outputs). One that stands at several places is replaced at all of them.
    by : Formula, sympy.Expr, str, sequence or mapping of them, Circuit, Network, CompactNetwork or torch.nn.Module
        One formula for each output, in the order of the outputs; a circuit or network of as many inputs and outputs;
        a `LookupTable` or another module. Exponents of formulas are kept; all other numbers can be trained.
    x : array, tensor, tuple or mapping of them
        Rows of what the model takes: its only argument, several by position, or several by name.
    y : array or tensor, optional
        Targets of these rows; the model's own outputs if left out.
    loss : callable
        Of (outputs, targets), a tensor of one number; the mean squared error if left out.
    inputs, outputs : sequence of str, optional
        What formulas call the columns; if left out, as each `Formula` says, or x1, x2, ... and y1, y2, ...
    measure : bool
        Whether runs are timed, which takes about a second.

    Returns
    -------
    Replacement
        The new model, with loss and speed before and after, and where its formulas are close to undefined.

    Raises
    ------
    InputError
        There is no such place, it is of another kind, what is given does not fit it, or a formula is not finite on a
        row.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    >>> found = replace(model, "0", by=[f"x1 + {k}*x2" for k in range(8)], x=torch.rand(20, 2), measure=False)
    >>> list(found.model.state_dict())[-2:], found.read_back()["y3"]
    (['2.weight', '2.bias'], x1 + 2*x2)
    """
    at = place_of(model, place, x)
    layer = fitted(copy.deepcopy(layer_of(by, Asked(at, tuple(inputs), tuple(outputs)))), at)
    edges = _edges(layer, at) if isinstance(layer, FormulaLayer) else ()
    new = _copied(model, at.module, layer)
    given = taken(model, x)
    with evaluated(model), evaluated(new):
        before, after = output_of(model, given), output_of(new, given)
        target = before if y is None else torch.as_tensor(y).to(before.device)
        target = target.to(before.dtype) if target.is_floating_point() else target
        losses = tuple(_number(loss, outputs, target) for outputs in (before, after))
        departure = _departure(layer(at.inputs), at.outputs)
        seconds = place_seconds = None
        if measure:
            runs = [_timed(lambda: at.module(at.inputs)), _timed(lambda: layer(at.inputs))]
            wholes = [_timed(lambda: output_of(model, given)), _timed(lambda: output_of(new, given))]
            *first, old, now = least_seconds(*runs, *wholes)
            seconds, place_seconds = (old, now), (first[0], first[1])
    sizes = tuple(sum(p.numel() for p in each.parameters() if p.requires_grad) for each in (at.module, layer))
    return Replacement(
        new, layer, at.names, (losses[0], losses[1]), departure, seconds, place_seconds, (sizes[0], sizes[1]), edges
    )


def _copied(model: nn.Module, old: nn.Module, layer: nn.Module) -> nn.Module:
    """A deep copy in which the layer stands wherever the old module is mentioned."""
    try:
        new: nn.Module = copy.deepcopy(model, {id(old): layer})
    except (RuntimeError, TypeError) as error:
        hint = "let copy.deepcopy(model) work: keep no computed tensors, locks or files in the model"
        raise InputError("a model that cannot be copied", got=str(error).splitlines()[0][:200], hint=hint) from error
    return new


def _edges(layer: FormulaLayer, at: Place) -> tuple[str, ...]:
    """Where formulas are not defined or have no gradient; refused where they are not finite on a row."""
    rows = at.inputs.double()
    found = [
        edge
        for one in layer.read_back().values()
        for edge in domain_edges(one, layer.inputs, rows.cpu().numpy())
    ]  # fmt: skip
    columns = at.inputs.detach().clone().requires_grad_(at.inputs.is_floating_point())
    values = layer(columns)
    bad = int((~torch.isfinite(values)).any(dim=1).sum())
    if bad:
        outside = next((edge.text for edge in found if edge.outside), "")
        expected, hint = "finite numbers on all rows", "another formula, or rows on which this one is defined"
        got = f"{bad} of {len(rows)} rows are not" + (f"; {outside}" if outside else "")
        raise InputError("a formula that is not finite", where=at.said, expected=expected, got=got, hint=hint)
    said = list(dict.fromkeys(edge.text for edge in found))
    if columns.requires_grad and values.requires_grad:
        (slopes,) = torch.autograd.grad(values.sum(), columns, allow_unused=True)
        steep = 0 if slopes is None else int((~torch.isfinite(slopes)).any(dim=1).sum())
        said += [f"the gradient is not finite on {steep} of {len(rows)} rows"] if steep else []
    return tuple(said)


def _departure(now: Tensor, before: Tensor) -> float:
    """Root mean square of the difference, over the deviation of what was there before."""
    spread = (before - before.mean(dim=0)).double().pow(2).mean().sqrt()
    left = (now - before).double().pow(2).mean().sqrt()
    return float(left / spread) if spread > 0 else float(left)


def _number(loss: Loss, outputs: Tensor, target: Tensor) -> float:
    try:
        return float(loss(outputs, target))
    except (RuntimeError, TypeError, ValueError) as error:
        got = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError("a loss that cannot be computed", where="loss(outputs, y)", got=got[:200]) from error


def _timed(run: Callable[[], Tensor]) -> Callable[[], None]:
    """A run that ends when its numbers are there."""

    def call() -> None:
        if run().is_cuda:
            torch.cuda.synchronize()

    return call
