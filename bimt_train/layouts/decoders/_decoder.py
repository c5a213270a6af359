"""Layouts of whole families of decoders, each from a table: for each tensor, the groups that index its axes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..._errors import LayoutError
from .._bind import bind
from .._group import Group
from .._layout import Layout, Role, TensorSpec

HINT = (
    "give example inputs, layout_for(module, x), or write the layout as a dictionary of patterns, one a tensor, "
    "and let verify certify it"
)

LayerGroups = Callable[[Any, int], tuple[tuple[Group, ...], Mapping[str, int]]]


@dataclass(frozen=True)
class DecoderFamily:
    """What the decoders of one family have in common.

    Attributes
    ----------
    name : str
        The name of the family.
    base : str
        The name under which a model with a head keeps the model without one.
    layers : str
        The name of the list of layers.
    mark : str
        The row of the table by which a module of this family is known.
    table : mapping of str to (str, str)
        Row -> pattern and role. A row is a tensor's name without ``base``, with N in place of the layer's number. A
        pattern may have ``{n}``, the layer's number from 1, and the numbers that ``groups`` gives.
    groups : callable
        Takes a layer and its number from 1. Returns its groups of neurons, and the numbers for its patterns.
    """

    name: str
    base: str
    layers: str
    mark: str
    table: Mapping[str, tuple[str, Role]]
    groups: LayerGroups

    def knows(self, module: Any) -> bool:
        """Say whether ``module`` is a Hugging Face model with a tensor that marks this family."""
        found = hasattr(module, "get_input_embeddings")
        return found and any(self._row(name) == self.mark for name, _ in module.named_parameters())

    def layout(self, module: Any) -> Layout:
        """Derive the layout of a decoder of this family.

        The residual stream is one group at every read and write. Tokens and positions are no neurons. A tied tensor is
        declared once, under its first name.

        Parameters
        ----------
        module : torch.nn.Module
            A decoder that `knows` accepts.

        Returns
        -------
        Layout
            A declaration of every parameter and of every buffer that is stored.

        Raises
        ------
        LayoutError
            Tensors that are not in the table, or of another shape than it says, by name.
        """
        lasting = module.state_dict().keys()
        tensors = dict(module.named_parameters()) | {n: b for n, b in module.named_buffers() if n in lasting}
        unknown = [name for name in tensors if self._row(name) not in self.table]
        if unknown:
            raise LayoutError(
                f"tensors that a decoder like {self.name} does not have",
                where=", ".join(f"'{name}' {tuple(tensors[name].shape)}" for name in unknown[:8]),
                expected="only the tensors of such a decoder",
                hint=HINT,
            )
        base = getattr(module, self.base, module)
        numbers: dict[int, Mapping[str, int]] = {}
        groups = [Group.line("resid", base.get_input_embeddings().embedding_dim)]
        for index, layer in enumerate(getattr(base, self.layers)):
            found, numbers[index] = self.groups(layer, index + 1)
            groups += found
        specs = {}
        for name in tensors:
            pattern, role = self.table[self._row(name)]
            layer = re.search(r"\.(\d+)\.", name)
            index = int(layer[1]) if layer else 0
            specs[name] = TensorSpec(pattern.format(n=index + 1, **numbers[index]), role)
        return bind(Layout(tuple(groups), specs, outputs="resid" if base is module else ""), module)

    def _row(self, name: str) -> str:
        return re.sub(r"\.\d+\.", ".N.", name.removeprefix(f"{self.base}."), count=1)
