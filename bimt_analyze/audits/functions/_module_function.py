"""A module by itself: what it sends, as a function of its own arguments."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from ._module_outputs import Columns, Outflow, Signals, squared_correlation


class ModuleFunction:
    """An `Outflow` as a function of the module's arguments, everything else outside it at its mean.

    Arguments are what the module reads and does not compute: inputs, and hidden neurons of others. One whose absence
    (it at its mean, the others as they are) costs at most 1 % of the function's variance is no argument.

    Attributes:
        arguments: the neurons.
        points: their activations on the batch.
        values: the function there.
        isolated: squared correlation of these with the signal in the network as it is.
        share: that of the outflow.
    """

    def __init__(self, signals: Signals, outflow: Outflow, *, least: float = 0.01) -> None:
        own = signals.hidden(outflow.module)
        self._outflow, self.share = outflow, outflow.share
        self._torch = signals.network.module().double()
        owners = dict(self._torch.named_modules())
        self._readers = {c.tensor: (c.source, owners[c.tensor.rpartition(".")[0]]) for c in signals.connections}
        self._inputs, sizes = signals.network.layout.inputs, signals.network.layout.sizes
        self._live = {group: torch.tensor([(group, j) in own for j in range(size)]) for group, size in sizes.items()}
        self._means = {group: torch.tensor(values.mean(axis=0)) for group, values in signals.activations.items()}
        self.arguments = signals.arguments(outflow.module)
        everything = signals.values(self.arguments)
        full, matters = self(everything), []
        for k in range(len(self.arguments)):
            without = everything.copy()
            without[:, k] = without[:, k].mean()
            matters.append((self(without) - full).var() > least * full.var())
        self.arguments = tuple(node for node, kept in zip(self.arguments, matters, strict=True) if kept)
        self.points = signals.values(self.arguments)
        self.values = self(self.points)
        self.isolated = squared_correlation(self.values, outflow.signal)

    def __call__(self, points: Float64[np.ndarray, "points arguments"]) -> Float64[np.ndarray, " points"]:
        """The function at other points."""
        fixed = {group: means.repeat(len(points), 1) for group, means in self._means.items()}
        for (group, j), column in zip(self.arguments, points.T, strict=True):
            fixed[group][:, j] = torch.tensor(column)
        with self._isolated(fixed) as read, torch.no_grad():
            self._torch(fixed[self._inputs])
        found = [read[tensor] @ weights for tensor, weights in self._outflow.weights.items()]
        return np.asarray(sum(found[1:], found[0]))

    @contextmanager
    def _isolated(self, fixed: Mapping[str, Tensor]) -> Iterator[dict[str, Columns]]:
        """While inside, readers see ``fixed`` wherever the module does not compute; what they see is kept."""
        read: dict[str, Columns] = {}

        def before(_: object, args: tuple[Any, ...], *, tensor: str, group: str) -> tuple[Any, ...]:
            seen = torch.where(self._live[group], args[0], fixed[group])
            read[tensor] = seen.numpy()
            return seen, *args[1:]

        with ExitStack() as stack:
            for tensor, (group, owner) in self._readers.items():
                hook = partial(before, tensor=tensor, group=group)
                stack.callback(owner.register_forward_pre_hook(hook).remove)
            yield read
