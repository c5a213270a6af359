"""A network as a frozen value: how it is built, where its neurons are, and its tensors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from jaxtyping import Float, Float64

from .._errors import InputError
from ..layouts._bind import bind_shapes
from ..layouts._fold import fold
from ..layouts._layout import Layout
from ..layouts._placement import Placement

if TYPE_CHECKING:
    import torch

    from ..models._model_spec import ModelSpec


class Connection(NamedTuple):
    """The weights from one group to another, as one matrix ``[target, source]``; folded copies are summed."""

    tensor: str
    target: str
    source: str
    matrix: Float[np.ndarray, "targets sources"]


@dataclass(frozen=True, eq=False)
class Network:
    """A trained (or untrained) network. Asking it never changes it.

    Attributes:
        model: how to build the module.
        layout: groups and declarations; every tensor is declared.
        placement: where the neurons sit.
        tensors: name -> array, read-only.

    Raises:
        LayoutError: tensors and layout, or placement and layout, contradict each other.
    """

    model: "ModelSpec"
    layout: Layout
    placement: Placement
    tensors: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        frozen: dict[str, np.ndarray] = {}
        for name, array in self.tensors.items():
            frozen[name] = np.array(array)
            frozen[name].setflags(write=False)
        bind_shapes(self.layout, {name: array.shape for name, array in frozen.items()})
        self.placement.check(self.layout)
        object.__setattr__(self, "tensors", MappingProxyType(frozen))

    @classmethod
    def of(cls, module: Any, layout: Layout | None = None, placement: Placement | None = None) -> Self:
        """The value of a module that knows its ``spec`` (and its ``layout()``, where none is given).

        Raises:
            InputError: it does not know them.
            LayoutError: as the class.
        """
        for name in ("spec", "layout") if layout is None else ("spec",):
            if not hasattr(module, name):
                raise InputError(
                    f"a module without a {name}", where=type(module).__name__, expected="one of bimt_train.models",
                    mend="make Network(ModelSpec(name, {}), layout, placement, tensors) of it, to be studied by its "
                    "weights and not run",
                )  # fmt: skip
        declared = module.layout() if layout is None else layout
        tensors = {name: t.detach().cpu().numpy() for name, t in module.state_dict().items()}
        return cls(module.spec, declared, placement or Placement.identity(declared), tensors)

    def module(self) -> "torch.nn.Module":
        """A fresh torch module with these tensors, in double precision if one of them is."""
        import torch

        from ..models import build_model  # brings torch

        module = build_model(self.model)
        if any(array.dtype == np.float64 for array in self.tensors.values()):
            module = module.double()
        module.load_state_dict({name: torch.tensor(array) for name, array in self.tensors.items()})
        return module.eval()

    @cached_property
    def _evaluator(self) -> "torch.nn.Module":
        return self.module().double()

    def predict(self, x: Float[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows *places outputs"]:
        """The network's own outputs, computed in double precision; at each token, where it reads sequences."""
        import torch

        with torch.no_grad():
            outputs = self._evaluator(torch.tensor(x, dtype=torch.float64))
        return np.asarray(outputs)

    def connections(self) -> tuple[Connection, ...]:
        """Every weight tensor as a matrix between its two groups."""
        found = []
        for name in self.layout.weights():
            plan = self.layout.tensors[name].plan
            target, source = plan.groups
            found.append(Connection(name, target, source, fold(self.tensors[name], plan, self.layout.sizes)))
        return tuple(found)

    def edges(self, threshold: float = 0.0) -> int:
        """How many weights have a magnitude above the threshold."""
        return int(sum((np.abs(self.tensors[name]) > threshold).sum() for name in self.layout.weights()))

    def with_tensors(self, tensors: Mapping[str, np.ndarray]) -> Self:
        """The same network with some tensors replaced."""
        return replace(self, tensors={**self.tensors, **tensors})

    def with_placement(self, placement: Placement) -> Self:
        """The same network with its neurons dealt to other slots."""
        return replace(self, placement=placement)
