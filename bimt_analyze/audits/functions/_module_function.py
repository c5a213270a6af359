"""A module by itself: its output as a function of its own arguments."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from bimt_train.models.building_blocks.linear_layers import linear_layers

from ._module_outputs import Columns, ModuleOutputs, RecordedActivations, squared_correlation


class ModuleFunction:
    """A module's output as a function of its arguments, everything else outside the module at its mean.

    Arguments are what the module reads and does not compute: inputs, and hidden neurons of others. One whose absence
    (it at its mean, the others as they are) costs at most 1 % of the function's variance is no argument.

    Parameters
    ----------
    recorded : RecordedActivations
        Activations of the network.
    module_outputs : ModuleOutputs
        Output of the module.
    least : float, default 0.01
        Share of the variance, 0 to 1, that an argument must cost.

    Attributes
    ----------
    arguments : tuple of (str, int)
        The neurons.
    points : array of float64, shape (rows, arguments)
        Their activations on the batch.
    values : array of float64, shape (rows,)
        The function there.
    isolated : float
        Squared correlation of these values with the output in the network as it is.
    share : float
        Share of the variance of all module outputs that the one number has.
    """

    def __init__(self, recorded: RecordedActivations, module_outputs: ModuleOutputs, *, least: float = 0.01) -> None:
        own = recorded.hidden(module_outputs.module)
        self._module_outputs, self.share = module_outputs, module_outputs.share
        self._torch = recorded.network.module().double()
        layers = linear_layers(self._torch)
        self._readers = {c.tensor: (c.source, layers[c.tensor]) for c in recorded.connections}
        plans = {c.tensor: recorded.network.layout.tensors[c.tensor].plan for c in recorded.connections}
        self._parts = {tensor: plan.parts[1].neurons for tensor, plan in plans.items()}
        self._inputs, sizes = recorded.network.layout.inputs, recorded.network.layout.sizes
        self._live = {group: torch.tensor([(group, j) in own for j in range(size)]) for group, size in sizes.items()}
        self._means = {group: torch.tensor(values.mean(axis=0)) for group, values in recorded.activations.items()}
        self.arguments = recorded.arguments(module_outputs.module)
        everything = recorded.values(self.arguments)
        full, matters = self(everything), []
        for k in range(len(self.arguments)):
            without = everything.copy()
            without[:, k] = without[:, k].mean()
            matters.append((self(without) - full).var() > least * full.var())
        self.arguments = tuple(node for node, kept in zip(self.arguments, matters, strict=True) if kept)
        self.points = recorded.values(self.arguments)
        self.values = self(self.points)
        self.isolated = squared_correlation(self.values, module_outputs.component)

    def __call__(self, points: Float64[np.ndarray, "points arguments"]) -> Float64[np.ndarray, " points"]:
        """The function at other points.

        Parameters
        ----------
        points : array of float64, shape (points, arguments)
            Values of the arguments, one a column.

        Returns
        -------
        array of float64, shape (points,)
            One value a point.
        """
        moved = {self._inputs, *(group for group, _ in self.arguments)}
        fixed = {g: means.repeat(len(points), 1) if g in moved else means for g, means in self._means.items()}
        for (group, j), column in zip(self.arguments, points.T, strict=True):
            fixed[group][:, j] = torch.tensor(column)
        with self._isolated(fixed) as read, torch.no_grad():
            self._torch(fixed[self._inputs])
        found = [
            read[tensor] @ weights[self._parts[tensor]] for tensor, weights in self._module_outputs.weights.items()
        ]
        return np.asarray(sum(found[1:], found[0]))

    @contextmanager
    def _isolated(self, fixed: Mapping[str, Tensor]) -> Iterator[dict[str, Columns]]:
        """While inside, readers see ``fixed`` wherever the module does not compute; what they see is kept."""
        read: dict[str, Columns] = {}

        def before(_: object, args: tuple[Any, ...], *, tensor: str, group: str) -> tuple[Any, ...]:
            part = self._parts[tensor]
            seen = torch.where(self._live[group][part], args[0], fixed[group][..., part])
            read[tensor] = seen.numpy()
            return seen, *args[1:]

        with ExitStack() as stack:
            for tensor, (group, owner) in self._readers.items():
                hook = partial(before, tensor=tensor, group=group)
                stack.callback(owner.register_forward_pre_hook(hook).remove)
            yield read
