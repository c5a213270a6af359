"""Which engine takes the steps of a run."""

from typing import get_args

from torch import Tensor

from ..._errors import InputError
from ...losses import Loss
from ...models import DenseLayers, ModelSpec
from ...models.from_spec import options_of
from .._stack import Stack
from ._compiled_engine import compiled_engine
from ._engine import Engine
from ._engine_choice import EngineChoice
from ._torch_engine import torch_engine


def choose_engine(
    choice: str, model: ModelSpec, stack: Stack, x: Tensor, y: Tensor, loss: Loss, *, batch: int | None, threads: int
) -> Engine:
    """The compiled engine where it serves, and torch's elsewhere, unless one of them is asked for.

    Parameters
    ----------
    choice : {"auto", "compiled", "torch"}
        What is asked for.
    model : ModelSpec
        What the networks are.
    stack : Stack
        How they lie in a row and compute.
    x : tensor, [networks, rows, inputs]
        Inputs; they may be padded beyond the rows of y.
    y : tensor, [networks, rows, outputs]
        Targets.
    loss : Loss
        What they are trained on.
    batch : int or None
        Rows a step; None takes all of them.
    threads : int
        How many threads may compute.

    Returns
    -------
    Engine
        Takes the steps.

    Raises
    ------
    InputError
        The choice is unknown, or compiled steps are asked for where there are none.
    """
    if choice not in get_args(EngineChoice):
        raise InputError("unknown engine", expected=", ".join(get_args(EngineChoice)), got=choice)
    rows = min(batch or y.shape[1], y.shape[1])
    if choice != "torch":
        layers = _layers(model) if stack.parameters.direct else None
        compiled = compiled_engine(layers, stack, x, y, loss, rows, threads)
        if compiled is not None:
            return compiled
    if choice == "compiled":
        made = "" if stack.parameters.direct else " whose weights are generated"
        raise InputError(
            "no compiled steps for these networks", where="engine",
            got=f"{model.kind}{made}, loss {loss.name!r}, {x.device}",
            expected="mlp, image-mlp or embedding-mlp on the CPU, with a usual activation and loss, and the code built",
            hint="leave the engine to be chosen",
        )  # fmt: skip
    return torch_engine(stack, x, y, loss.function, rows, threads)


def _layers(model: ModelSpec) -> DenseLayers | None:
    options = options_of(model)
    return None if options is None else options.dense_layers()
