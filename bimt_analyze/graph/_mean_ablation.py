"""Hidden neurons set to their means, wherever they are read."""

from collections.abc import Collection

import numpy as np
import torch
from jaxtyping import Float64, Num
from torch import Tensor

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.layouts import Pattern
from bimt_train.layouts.fold import fold, spread

from ._forward_trace import Trace
from ._neuron_graph import NodeId
from ._replay import Replay

_CONSTANT = 1e-12  # of the largest value: a smaller range is rounding


class MeanAblation:
    """What a network gives for a batch of rows with some of its hidden neurons set to their means.

    Neuron n, whose activation is a_n, is set to the mean of a_n over the rows (over positions or steps too, where its
    reader is called at each) in everything that reads it; what it computes and reads itself stays as it is. Means are
    those of the untouched network, taken where the neuron is read. In double precision.

    Parameters
    ----------
    network : Network
        Its module is built afresh; the network itself is never touched.
    x : array [rows, ...]
        Rows as the network sees them.

    Raises
    ------
    InputError
        Hidden neurons are read by something that is no affine submodule (`Trace`).

    Examples
    --------
    >>> import torch
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP((2, 3, 1), "tanh", generator=torch.Generator().manual_seed(0)))
    >>> ablation = MeanAblation(network, np.random.default_rng(0).normal(size=(20, 2)))
    >>> ablation.neurons
    (('h1', 0), ('h1', 1), ('h1', 2))
    >>> bool(np.ptp(ablation.outputs(ablation.neurons)) < 1e-12)
    True
    """

    def __init__(self, network: Network, x: Num[np.ndarray, "rows ..."]) -> None:
        layout, ends = network.layout, (network.layout.inputs, network.layout.outputs)
        self._groups = {c.tensor: c.source for c in network.connections() if c.source not in ends}
        self._sizes = {g.name: g.size for g in layout.groups if g.name in self._groups.values()}
        self._axes: dict[str, Pattern] = {}
        self._means: dict[str, Tensor] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        used = {group: np.zeros(size) for group, size in self._sizes.items()}
        trace = Trace(network, x, tensors=list(self._groups))
        for tensor, group in self._groups.items():
            plan, read = layout.tensors[tensor].plan, trace.sources(tensor)
            # the source axis may run over its neurons several times, and a kernel has several axes
            own = plan.axes[:1] if plan.source_first else plan.axes[1:]
            self._axes[tensor] = Pattern("source axes", own)
            self._means[tensor] = torch.tensor(read.mean(axis=0))
            moves = np.ptp(read, axis=0) > _CONSTANT * np.abs(read).max(axis=0)
            weighs = (network.tensors[tensor] != 0).any(axis=1 if plan.source_first else 0)
            self._shapes[tensor] = weighs.shape
            counted = (moves.reshape(weighs.shape) & weighs).astype(np.float64)
            used[group] += fold(counted, self._axes[tensor], self._sizes)
        rows = torch.tensor(x, dtype=torch.float64 if np.issubdtype(x.dtype, np.floating) else None)
        self._replay = Replay(
            network.module().double(), rows, {tensor: trace.matrix(tensor) for tensor in self._groups}
        )
        self._alive = {group: count > 0 for group, count in used.items()}

    @property
    def neurons(self) -> tuple[NodeId, ...]:
        """The hidden neurons that can be set, layer by layer."""
        return tuple((group, i) for group, size in self._sizes.items() for i in range(size))

    @property
    def alive(self) -> tuple[NodeId, ...]:
        """The neurons that vary over the rows and are read with a weight other than 0; others have no effect."""
        return tuple((group, i) for group, i in self.neurons if self._alive[group][i])

    def outputs(self, ablated: Collection[NodeId] = ()) -> Float64[np.ndarray, "rows *places outputs"]:
        """The network's outputs with these neurons set to their means.

        Parameters
        ----------
        ablated : collection of (str, int), default ()
            Hidden neurons, as (group, index).

        Returns
        -------
        array [rows, ..., outputs]
            In the units of the network's outputs.

        Raises
        ------
        InputError
            A neuron that is not hidden, or not there.
        """
        chosen = {group: np.zeros(size) for group, size in self._sizes.items()}
        for group, number in ablated:
            if not 0 <= number < self._sizes.get(group, 0):
                expected = ", ".join(f"{name}.0..{size - 1}" for name, size in self._sizes.items())
                raise InputError("no such hidden neuron", expected=expected or "none", got=f"{group}.{number}")
            chosen[group][number] = 1.0
        changes = {
            tensor: (self._where(tensor, chosen[group]), self._means[tensor])
            for tensor, group in self._groups.items()
            if chosen[group].any()
        }
        return np.asarray(self._replay.outputs(changes))

    def _where(self, tensor: str, chosen: Float64[np.ndarray, "_"]) -> Tensor:
        """Which entries of the tensor's source axis are those of chosen neurons."""
        found = spread(chosen, self._axes[tensor], self._shapes[tensor], self._sizes) > 0
        return torch.tensor(found.ravel())
