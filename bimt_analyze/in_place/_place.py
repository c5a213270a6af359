"""A place in a model: which submodule, under which names, and what it reads and gives on rows."""

from dataclasses import dataclass

import torch
from jaxtyping import Shaped
from torch import Tensor, nn

from bimt_train import InputError
from bimt_train.did_you_mean import did_you_mean

from ._model_run import Rows, evaluated, output_of, taken


@dataclass(frozen=True, eq=False)
class Place:
    """A submodule of a model, and its rows in all calls that a run of the model makes.

    Attributes
    ----------
    module : torch.nn.Module
        The submodule.
    names : tuple of str
        The dotted paths at which it stands in the model; one that is used several times may have several.
    inputs : tensor of shape [rows, columns]
        What it read.
    outputs : tensor of shape [rows, columns]
        What it gave.
    calls : int
        How often one run of the model calls it.
    """

    module: nn.Module
    names: tuple[str, ...]
    inputs: Shaped[Tensor, "rows inputs"]
    outputs: Shaped[Tensor, "rows outputs"]
    calls: int

    @property
    def said(self) -> str:
        """The place, for messages."""
        return ", ".join(repr(name) for name in self.names) if any(self.names) else "the whole model"

    @property
    def widths(self) -> tuple[int, int]:
        """How many numbers it reads and gives."""
        return self.inputs.shape[1], self.outputs.shape[1]


def place_of(model: nn.Module, where: str | nn.Module, x: Rows) -> Place:
    """Find a submodule, and run the model to see what the submodule reads and gives.

    Parameters
    ----------
    model : torch.nn.Module
        The model. It is run in evaluation mode, and left as it is.
    where : str or torch.nn.Module
        The submodule's dotted path, ``""`` for the whole model, or the submodule itself.
    x : array, tensor, tuple or mapping of them
        Rows of what the model takes.

    Raises
    ------
    InputError
        There is no such submodule, a run does not reach it, or it does not map (..., inputs) to (..., outputs).
    """
    module, names = _found(model, where)
    seen: list[tuple[tuple[object, ...], dict[str, object], object]] = []
    hook = module.register_forward_hook(lambda _, args, kwargs, out: seen.append((args, kwargs, out)), with_kwargs=True)
    try:
        with evaluated(model):
            output_of(model, taken(model, x))
    finally:
        hook.remove()
    said = ", ".join(names) or "the whole model"
    if not seen:
        hint = "name one that the model runs on these rows"
        raise InputError("a submodule that is not called", where=said, hint=hint)
    pairs = [_row_by_row(said, (*args, *kwargs.values()), out) for args, kwargs, out in seen]
    widths = {(a.shape[1], b.shape[1]) for a, b in pairs}
    if len(widths) > 1:
        raise InputError("a submodule whose calls differ in width", where=said, got=str(sorted(widths)))
    inputs, outputs = (torch.cat(each) for each in zip(*pairs, strict=True))
    return Place(module, names, inputs, outputs, len(seen))


def _found(model: nn.Module, where: str | nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """The submodule and all its names."""
    every = dict(model.named_modules(remove_duplicate=False))
    if isinstance(where, str) and where not in every:
        shown = ", ".join(name for name in every if name) or "none"
        raise InputError("no such submodule", where=where, expected=f"one of {shown}", hint=did_you_mean(where, every))
    module = every[where] if isinstance(where, str) else where
    names = tuple(name for name, one in every.items() if one is module)
    if not names:
        raise InputError("a module that is not part of the model", got=type(module).__name__,
                         hint="give the dotted path of a submodule, such as 'encoder.0'")  # fmt: skip
    return module, names


def _row_by_row(said: str, given: tuple[object, ...], out: object) -> tuple[Tensor, Tensor]:
    """What one call read and gave, as rows."""
    x = given[0] if len(given) == 1 else None
    expected = "one tensor (..., inputs) to one tensor (..., outputs)"
    if not isinstance(x, Tensor) or not isinstance(out, Tensor):
        got = f"{', '.join(type(one).__name__ for one in given)} to {type(out).__name__}"
        raise InputError("a submodule of another kind", where=said, expected=expected, got=got)
    if not (x.ndim and out.ndim) or x.shape[:-1] != out.shape[:-1]:
        got = f"{tuple(x.shape)} to {tuple(out.shape)}"
        raise InputError("a submodule of other shapes", where=said, expected=expected, got=got)
    return x.detach().reshape(-1, x.shape[-1]), out.detach().reshape(-1, out.shape[-1])
