"""Holding a layout against the tensors it is said to describe, axis by axis; it never guesses."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._errors import LayoutError, PatternError
from ._layout import Layout

if TYPE_CHECKING:
    import torch


def bind(layout: Layout, module: "torch.nn.Module") -> Layout:
    """The layout itself, if it declares every parameter and buffer of the module, with axes of the right lengths.

    A tied tensor needs one of its names. A buffer that is not persistent (rotary frequencies, causal masks) is computed
    from the module's options, neither learned nor stored, and may be left out; `verify` then leaves it as it is.

    Raises:
        LayoutError: a parameter or buffer is undeclared, a declared one is missing, or an axis has another length. The
            message names every undeclared tensor, or the tensor, axis, expected and got.
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
    """`bind` for tensors of which only the shapes are at hand.

    Raises:
        LayoutError: as `bind` does.
    """
    undeclared = [name for name in shapes if name not in layout.tensors]
    if undeclared:
        said = ", ".join(f"'{name}' {shapes[name]}" for name in undeclared)
        raise LayoutError(
            "undeclared parameters or buffers",
            where=said,
            expected="a pattern for each axis",
            got="none",
            mend="declare each in the layout, with _ for an axis that no neuron indexes",
        )
    missing = [name for name in layout.tensors if name not in shapes]
    if missing:
        raise LayoutError(
            "declared tensors that the module does not have",
            where=", ".join(f"'{n}'" for n in missing),
            expected=", ".join(shapes),
            got="no such tensor",
            mend="correct the names",
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
                mend=error.mend,
            ) from error
    return layout
