"""A module as it computes: with its effective weights, in a precision that numpy knows."""

from typing import NamedTuple, cast

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter
from torch.nn.utils import parametrize, prune

from ..._errors import InputError
from ...layouts._copied import copied
from ...layouts._inputs import Inputs, tensors_in
from ._chosen_output import names_of_outputs, output_called, with_output

_NARROW = (torch.bfloat16, torch.float16)


class AsRun(NamedTuple):
    """A copy of a module, and what was changed in it.

    Attributes
    ----------
    module : torch.nn.Module
        In evaluation mode; its outputs are those of the original.
    said : tuple of str
        What was changed, and that further outputs are left out, a sentence each.

    Examples
    --------
    >>> AsRun(nn.Linear(2, 1), ()).said
    ()
    """

    module: nn.Module
    said: tuple[str, ...]


def as_run(module: nn.Module, inputs: Inputs, output: str | int | None = None) -> AsRun:
    """Copy a module, with the weights that it computes with in place of what these are made of.

    Masks of pruning, norms of weights and other parametrisations are applied. Numbers of half precision become single.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is left as it is.
    inputs : Inputs
        A few rows that it takes.
    output : str or int, optional
        Which of several outputs counts: a key, a field or a number; left out, the first.

    Returns
    -------
    AsRun
        The copy.

    Raises
    ------
    InputError
        The module has complex numbers, or no such output.
    """
    _check(module)
    own = _unwrapped(copied(module).cpu().eval())
    said = []
    applied = [name for name, each in own.named_modules() if _settle(each)]
    if applied:
        named = ", ".join(f"'{name}'" for name in applied[:4]) + " and others" * (len(applied) > 4)
        said.append(f"weights: parametrisations, weight norms and masks of {named} are applied")
    if any(tensor.dtype in _NARROW for tensor in own.state_dict().values()):
        own = own.float()
        said.append("weights: of half precision, computed in single precision")
    with torch.no_grad():
        try:
            outputs = own(*_floats(own, inputs).positional, **_floats(own, inputs).named)
        except Exception:  # told where the program is made
            return AsRun(own, tuple(said))
    several, names = sum(1 for _ in tensors_in(outputs)), ", ".join(names_of_outputs(outputs))
    if output is not None:
        several = sum(1 for _ in tensors_in(output_called(outputs, output)))
        own = with_output(own, output)
        said.append(f"outputs: {output!r} of those that the module returns ({names})")
    if several > 1:
        said.append(f"outputs: the first of the {several} that the module returns ({names}); output= chooses another")
    return AsRun(own, tuple(said))


def _check(module: nn.Module) -> None:
    """Refuse modules without weights that can be read."""
    if isinstance(module, torch.jit.ScriptModule):
        hint = "give the module before torch.jit made it; the weights of a chain of layers are in its state_dict()"
        raise InputError("a module of TorchScript", where="module", got=type(module).__name__, hint=hint)
    for name, value in module.state_dict().items():
        where = f"tensor '{name}'"
        if isinstance(value, UninitializedParameter | UninitializedBuffer):
            hint = "call the module once on rows, and train it, before it is read"
            raise InputError("weights that were never made", where=where, got=type(value).__name__, hint=hint)
        if not isinstance(value, torch.Tensor) or value.is_quantized:
            got, hint = type(value).__name__, "give the module before it was quantised"
            raise InputError("a quantised module", where=where, expected="tensors of floating numbers", got=got,
                             hint=hint)  # fmt: skip
        if value.is_complex():
            hint = "write the module with the real and the imaginary part as two tensors"
            raise InputError("complex numbers in a module", where=where, got="complex", hint=hint)


def _unwrapped(module: nn.Module) -> nn.Module:
    """The module without the wrappers that spread rows over devices."""
    if isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return _unwrapped(module.module)
    for name, child in module.named_children():
        setattr(module, name, _unwrapped(child))
    return module


def _settle(module: nn.Module) -> bool:
    """Replace what a module's weights are made of by the weights; whether there was anything."""
    made = False
    if parametrize.is_parametrized(module):
        own = type(module)  # the copy shares this class with the original, and torch takes the weight out of it
        module.__class__ = type(own.__name__, own.__bases__, dict(vars(own)))
        for name in list(cast(nn.ModuleDict, module.parametrizations)):
            parametrize.remove_parametrizations(module, name, leave_parametrized=True)
            made = True
    for hook in list(module._forward_pre_hooks.values()):  # prune.remove and its like look for the same
        if isinstance(hook, prune.BasePruningMethod):
            prune.remove(module, hook._tensor_name)  # type: ignore[no-untyped-call]
            made = True
        elif type(hook).__name__ in ("WeightNorm", "SpectralNorm") and hasattr(hook, "name"):
            remove = {"WeightNorm": nn.utils.remove_weight_norm, "SpectralNorm": nn.utils.remove_spectral_norm}
            remove[type(hook).__name__](module, hook.name)
            made = True
    return made


def _floats(module: nn.Module, inputs: Inputs) -> Inputs:
    floating = next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.get_default_dtype())
    return inputs.floating(floating)
