"""Comparing a layout with the tensors of a module, axis by axis. Nothing is guessed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._errors import LayoutError, PatternError
from ._layout import Layout

if TYPE_CHECKING:
    import torch


def bind(layout: Layout, module: "torch.nn.Module") -> Layout:
    """Check that a layout declares every parameter and buffer of a module, with axes of the right lengths.

    A tied tensor needs one of its names. A buffer that is not persistent (rotary frequencies, causal masks) is computed
    from the module's options, neither learned nor stored, and may be left out; `verify` then leaves it as it is.

    Parameters
    ----------
    layout : Layout
        The declaration to check.
    module : torch.nn.Module
        The module that it should describe.

    Returns
    -------
    Layout
        ``layout`` itself, unchanged.

    Raises
    ------
    LayoutError
        A parameter or buffer is undeclared, a declared one is missing, or an axis has another length. The message names
        every undeclared tensor, or the tensor, the axis, what was expected and what was found.

    Examples
    --------
    >>> import torch
    >>> from bimt_train.layouts import Group, linear
    >>> module = torch.nn.Sequential(torch.nn.Linear(4, 2))
    >>> layout = linear("0", source=Group.line("x", 4), target=Group.line("y", 2))
    >>> bind(layout, module) is layout
    True
    """
    tensors: dict[str, torch.Tensor] = dict(module.named_parameters(remove_duplicate=False))
    lasting = tensors.keys() | module.state_dict().keys()
    tensors |= dict(module.named_buffers(remove_duplicate=False))
    declared = {id(tensors[name]) for name in layout.tensors if name in tensors}
    shapes = {
        name: tuple(tensor.shape)
        for name, tensor in tensors.items()
        if name in layout.tensors or (name in lasting and id(tensor) not in declared)
    }
    return bind_shapes(layout, shapes)


def bind_shapes(layout: Layout, shapes: Mapping[str, tuple[int, ...]]) -> Layout:
    """Check a layout against tensors of which only the shapes are known, as `bind` does for a module.

    Parameters
    ----------
    layout : Layout
        The declaration to check.
    shapes : mapping of str to tuple of int
        The name and shape of every tensor that must be declared.

    Returns
    -------
    Layout
        ``layout`` itself, unchanged.

    Raises
    ------
    LayoutError
        As `bind`.
    """
    undeclared = [name for name in shapes if name not in layout.tensors]
    if undeclared:
        said = ", ".join(f"'{name}' {shapes[name]}" for name in undeclared)
        raise LayoutError(
            "undeclared parameters or buffers",
            where=said,
            expected="a pattern for each axis",
            got="none",
            hint="declare each in the layout, with _ for an axis that no neuron indexes",
        )
    missing = [name for name in layout.tensors if name not in shapes]
    if missing:
        raise LayoutError(
            "declared tensors that the module does not have",
            where=", ".join(f"'{n}'" for n in missing),
            expected=", ".join(shapes),
            got="no such tensor",
            hint="correct the names",
        )
    for name, spec in layout.tensors.items():
        try:
            spec.plan.open_shape(shapes[name], layout.sizes)
        except PatternError as error:
            raise LayoutError(
                "a tensor contradicts the layout",
                where=f"tensor '{name}', {error.where}",
                expected=error.expected,
                got=error.got,
                hint=error.hint,
            ) from error
    return layout
