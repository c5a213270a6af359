"""A network as a frozen value: how it is built, where its neurons are, and its tensors."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from jaxtyping import Float, Float64

from .._errors import InputError
from ..extras import installed, need
from ..frozen import FrozenDict
from ..layouts._bind import bind_shapes
from ..layouts._layout import Layout
from ..layouts._placement import Placement
from ..layouts.fold import fold
from ..showing import Shown, brief, one_line
from ._dense_outputs import dense_outputs

if TYPE_CHECKING:
    import torch

    from ..models._model_spec import ModelSpec

EDGE = 1e-2  # a weight below this is not counted as an edge while training; pruning finds the true threshold


class Connection(NamedTuple):
    """The weights from one group to another, as one matrix; folded copies are summed.

    Attributes
    ----------
    tensor : str
        The tensor's name.
    target : str
        The group that is written.
    source : str
        The group that is read.
    matrix : array of float, shape (targets, sources)
        The weights.

    Examples
    --------
    >>> Connection(tensor="0.weight", target="y", source="x", matrix=np.eye(2)).matrix.shape
    (2, 2)
    """

    tensor: str
    target: str
    source: str
    matrix: Float[np.ndarray, "targets sources"]

    def __repr__(self) -> str:
        return one_line(self, brief(self._asdict()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Connection) and self[:3] == other[:3] and np.array_equal(self.matrix, other.matrix)

    def __ne__(self, other: object) -> bool:  # a tuple's own would compare arrays
        return not self == other


@dataclass(frozen=True, eq=False, repr=False)
class Network(Shown):
    """A trained or untrained network as a frozen value. No method changes it.

    Attributes
    ----------
    model : ModelSpec
        How to build the module.
    layout : Layout
        Groups and declarations; every tensor is declared.
    placement : Placement
        The slots of the neurons.
    tensors : mapping of str to array
        The parameters and buffers, read-only.
    generator : mapping of str to array, optional
        The parameters that generate the weights, where training had rules (``bimt+reuse``); read-only. Other tensors
        (`with_tensors`) have none.

    Raises
    ------
    LayoutError
        Tensors and layout, or placement and layout, contradict each other.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 3, 1]))
    >>> [(c.source, c.target, c.matrix.shape) for c in network.connections()]
    [('x', 'h1', (3, 2)), ('h1', 'y', (1, 3))]
    """

    model: "ModelSpec"
    layout: Layout
    placement: Placement
    tensors: Mapping[str, np.ndarray]
    generator: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("tensors", "generator"):
            object.__setattr__(self, name, FrozenDict({n: _read_only(a) for n, a in getattr(self, name).items()}))
        bind_shapes(self.layout, {name: array.shape for name, array in self.tensors.items()})
        self.placement.check(self.layout)

    def __reduce__(self) -> tuple[Any, ...]:
        # made anew, since a copy's arrays could be written to
        return type(self), (self.model, self.layout, self.placement, dict(self.tensors), dict(self.generator))

    def _brief(self) -> str:
        return f"{self.model.kind}: {', '.join(f'{group} {size}' for group, size in self.layout.sizes.items())}"

    @classmethod
    def of(
        cls,
        module: Any,
        layout: Layout | None = None,
        placement: Placement | None = None,
        *,
        example_inputs: Any = None,
    ) -> Self:
        """Copy a module into a value.

        Parameters
        ----------
        module : torch.nn.Module
            One of `bimt_train.models`; or, with ``example_inputs``, any module.
        layout : Layout, optional
            Groups and declarations; left out, those of the module, or what tracing finds.
        placement : Placement, optional
            The slots of the neurons; left out, neuron i is in slot i.
        example_inputs : array or Tensor of shape (rows, ...), tuple of them, or mapping of str to them, optional
            A few rows of each argument of a module that is none of `bimt_train.models`. The module is exported, in
            evaluation mode, as a program of torch's own operators; so the network runs, is stored and read back where
            the module's class is unknown. It reads rows of a table, one column an entry of each argument.

        Returns
        -------
        Network
            Copies of the module's tensors.

        Raises
        ------
        InputError
            The module is none of `bimt_train.models`, and no example inputs are given; or it cannot be exported.
        LayoutError
            Tensors, layout and placement contradict each other, or no layout can be derived.

        Examples
        --------
        >>> import torch
        >>> from torch import nn
        >>> convolution = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
        >>> network = Network.of(convolution, example_inputs=torch.randn(3, 1, 6, 6))
        >>> dict(network.layout.sizes), network.predict(np.zeros((5, 36))).shape
        ({'x': 1, 'h1': 4, 'y': 2}, (5, 2))
        """
        if example_inputs is not None:
            from ..models.traced import trace_module  # brings torch

            module, layout, *_ = trace_module(module, example_inputs, layout)
        for name in ("spec", "layout") if layout is None else ("spec",):
            if not hasattr(module, name):
                raise InputError(
                    f"a module without a {name}", where=type(module).__name__, expected="one of bimt_train.models",
                    hint="give example_inputs, a few rows that it takes: Network.of(module, example_inputs=x)",
                )  # fmt: skip
        declared = module.layout() if layout is None else layout
        tensors = {name: t.detach().cpu().numpy() for name, t in module.state_dict().items()}
        return cls(module.spec, declared, placement or Placement.identity(declared), tensors)

    def module(self) -> "torch.nn.Module":
        """Build a fresh torch module with these tensors, in double precision if one of them is, in evaluation mode."""
        need("torch", "a module")
        import torch

        from ..models.from_spec import build_model  # brings torch

        module = build_model(self.model)
        if any(array.dtype == np.float64 for array in self.tensors.values()):
            module = module.double()
        module.load_state_dict({name: torch.tensor(array) for name, array in self.tensors.items()})
        return module.eval()

    @cached_property
    def _evaluator(self) -> "torch.nn.Module":
        return self.module().double()

    def predict(self, x: Float[np.ndarray, "rows inputs"]) -> Float64[np.ndarray, "rows *places outputs"]:
        """Compute the network's own outputs, in double precision.

        Parameters
        ----------
        x : array of float, shape (rows, inputs)
            Inputs as the network sees them, not in the task's units.

        Returns
        -------
        array of float, shape (rows, outputs)
            Outputs as the network gives them; shape (rows, places, outputs), one place for each token, where it reads
            sequences.

        Raises
        ------
        InputError
            A token that the network does not know.
        MissingExtra
            Torch is not installed, and the network is no chain of layers.
        """
        if not installed("torch"):
            return dense_outputs(self.model, self.tensors, x)
        import torch

        try:
            with torch.no_grad():
                outputs = self._evaluator(torch.tensor(x, dtype=torch.float64))
        except IndexError as error:
            expected, got = "tokens that it knows, numbered from 0", f"numbers from {x.min():g} to {x.max():g}"
            raise InputError("rows that the network cannot read", where="x", expected=expected, got=got) from error
        return np.asarray(outputs)

    def rows(self, inputs: Any) -> Float64[np.ndarray, "rows inputs"]:
        """Lay out what the module reads as rows that `predict` takes.

        Parameters
        ----------
        inputs : array of shape (rows, inputs), or what the module is called with
            For a network of any module (`of` with ``example_inputs``), arguments of any shape: an array, a tuple of
            them, or a mapping of names to them.

        Returns
        -------
        array of float, shape (rows, inputs)
            One column an entry.

        Raises
        ------
        InputError
            Arguments of another shape than the module takes.
        """
        from ..models.from_spec import options_of  # brings torch

        options = options_of(self.model)
        return np.asarray(inputs, dtype=np.float64) if options is None else options.rows(inputs)

    def connections(self) -> tuple[Connection, ...]:
        """Fold every weight tensor into a matrix between its two groups."""
        found = []
        for name in self.layout.weights():
            plan = self.layout.tensors[name].plan
            target, source = plan.groups
            found.append(Connection(name, target, source, fold(self.tensors[name], plan, self.layout.sizes)))
        return tuple(found)

    def edges(self, threshold: float = 0.0) -> int:
        """Count the weights whose magnitude is above a threshold.

        Parameters
        ----------
        threshold : float, default 0.0
            In the units of the weights.

        Returns
        -------
        int
            The number of weights; biases and embeddings are not counted.
        """
        return int(sum((np.abs(self.tensors[name]) > threshold).sum() for name in self.layout.weights()))

    @property
    def parameters(self) -> int:
        """How many trained numbers make the network: weights, biases and the like of a magnitude above 0.01.

        Where rules generate the weights, those of the rules, of their coefficients and of a tensor's own weights.
        """
        trained = {name: array for name, array in self.tensors.items() if self.layout.tensors[name].role != "buffer"}
        return int(sum((np.abs(array) > EDGE).sum() for array in (self.generator or trained).values()))

    def with_tensors(self, tensors: Mapping[str, np.ndarray]) -> Self:
        """Replace some tensors.

        Parameters
        ----------
        tensors : mapping of str to array
            The new values, by the tensors' names.

        Returns
        -------
        Network
            A new network.
        """
        return replace(self, tensors={**self.tensors, **tensors}, generator={})

    def with_placement(self, placement: Placement) -> Self:
        """Assign the neurons to other slots.

        Parameters
        ----------
        placement : Placement
            The new slots.

        Returns
        -------
        Network
            A new network with the weights of this one.
        """
        return replace(self, placement=placement)


def _read_only(array: np.ndarray) -> np.ndarray:
    copied = np.array(array)
    copied.setflags(write=False)
    return copied
