"""A module's run on fixed rows, repeated with a few of its neurons changed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float64
from torch import Tensor, nn

from bimt_train.models import linear_layers

Change = tuple[Bool[Tensor, " sources"], Float64[Tensor, " sources"]]
"""Which of the sources of a weight tensor are changed, and all their values (of which only the changed ones count)."""


class Replay:
    """What a module gives for fixed rows when some of what its linear layers read is set to other values.

    Nothing before the first change is computed again, and the first layer that reads a change is only corrected for it:
    of a chain of layers, a change in the last one costs next to nothing.

    Parameters
    ----------
    module : torch.nn.Module
        It must compute alike each time it is called.
    x : tensor
        The rows.
    matrices : mapping of str to tensor [sources, targets]
        For each weight tensor whose sources may be changed, its matrix; the module that applies the tensor must compute
        in @ matrix + bias (`Trace` checks that).

    Examples
    --------
    >>> chain = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    >>> replay = Replay(chain, torch.randn(5, 2, dtype=torch.float64), {"2.weight": chain[2].weight.T})
    >>> found = replay.outputs({"2.weight": (torch.tensor([True] * 3), torch.zeros(3, dtype=torch.float64))})
    >>> bool(torch.allclose(found, chain[2].bias))
    True
    """

    def __init__(self, module: nn.Module, x: Tensor, matrices: Mapping[str, Tensor]) -> None:
        self._module, self._x, self._matrices = module, x, matrices
        layers = linear_layers(module)
        self._tensors: dict[nn.Module, list[str]] = {layers[tensor]: [] for tensor in matrices}
        for tensor in matrices:
            self._tensors[layers[tensor]].append(tensor)
        # a module with others inside is called for more than its own weights; of others than these nothing is known
        self._layers = {layer for layer in self._tensors if layer is not module and not any(layer.children())}
        self._own = {layer: layer.forward for layer in self._layers | set(self._tensors)}
        self._calls: dict[nn.Module, list[tuple[Tensor, Tensor]]] = {layer: [] for layer in self._layers}
        with torch.no_grad(), self._forwards({layer: partial(self._note, layer) for layer in self._layers}):
            self._untouched: Tensor = module(x)

    def outputs(self, changes: Mapping[str, Change]) -> Tensor:
        """The module's outputs with changes.

        Parameters
        ----------
        changes : mapping of str to (tensor of bool [sources], tensor [sources])
            For each weight tensor some of whose sources are changed, which, and to what.

        Returns
        -------
        tensor
            As the module gives them.
        """
        changes = {tensor: change for tensor, change in changes.items() if bool(change[0].any())}
        if not changes:
            return self._untouched.clone()
        run = _Run(self, changes)
        with torch.no_grad(), self._forwards({layer: partial(run.call, layer) for layer in self._called(changes)}):
            found: Tensor = self._module(self._x)
        return found

    def _called(self, changes: Mapping[str, Change]) -> set[nn.Module]:
        return self._layers | {
            layer for layer, own in self._tensors.items() if any(tensor in changes for tensor in own)
        }

    def _note(self, layer: nn.Module, *args: Any) -> Any:
        written = self._own[layer](*args)
        self._calls[layer].append((args[0].detach().clone(), written.detach().clone()))
        return written

    @contextmanager
    def _forwards(self, forwards: Mapping[nn.Module, Any]) -> Iterator[None]:
        """While inside, these stand in for the layers' own ``forward``."""
        for layer, forward in forwards.items():
            layer.forward = forward
        try:
            yield
        finally:
            for layer in forwards:
                layer.forward = self._own[layer]


class _Run:
    """One run with changes: how many times each layer was called, and whether a change was read yet."""

    def __init__(self, replay: Replay, changes: Mapping[str, Change]) -> None:
        self._replay, self._changes = replay, changes
        self._counts = dict.fromkeys(replay._calls, 0)
        self._touched = False

    def call(self, layer: nn.Module, *args: Any) -> Any:
        """What the layer gives, its changed sources set."""
        known = self._recorded(layer)
        changes = {t: self._changes[t] for t in self._replay._tensors.get(layer, ()) if t in self._changes}
        if known is not None and (not self._touched or torch.equal(args[0], known[0])):
            read, written = known
            if not changes:
                return written.clone()
            self._touched = True
            return written + sum(self._corrections(read, changes))
        first = args[0]
        for mask, values in changes.values():
            self._touched, first = True, torch.where(mask, values, first)
        return self._replay._own[layer](first, *args[1:])

    def _recorded(self, layer: nn.Module) -> tuple[Tensor, Tensor] | None:
        """What the layer read and wrote at this call when nothing was changed."""
        calls = self._replay._calls.get(layer, [])
        number = self._counts.get(layer, 0)
        self._counts[layer] = number + 1
        return calls[number] if number < len(calls) else None

    def _corrections(self, read: Tensor, changes: Mapping[str, Change]) -> Iterator[Tensor]:
        for tensor, (mask, values) in changes.items():
            (chosen,) = mask.nonzero(as_tuple=True)  # found once, where each use of the mask would look for them
            yield (values[chosen] - read[..., chosen]) @ self._replay._matrices[tensor][chosen]
