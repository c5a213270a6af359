"""A module's run on fixed rows, repeated with a few of its neurons changed."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
        functions = {each for each in module.modules() if each is not module and _is_function(each)}
        self._own = {each: each.forward for each in self._layers | set(self._tensors) | functions}
        noted: dict[nn.Module, list[tuple[_Call, Tensor] | None]] = {each: [] for each in self._layers | functions}
        with torch.no_grad(), self._forwards({each: partial(self._note, each, calls) for each, calls in noted.items()}):
            self._untouched: Tensor = module(x)
        self._calls = {each: [call and call[0].ended(call[1]) for call in calls] for each, calls in noted.items()}

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
        return {*self._calls} | {
            layer for layer, own in self._tensors.items() if any(tensor in changes for tensor in own)
        }

    def _note(self, layer: nn.Module, calls: list["tuple[_Call, Tensor] | None"], *args: Any, **named: Any) -> Any:
        read = args[0].detach().clone() if layer in self._layers else None
        given = (*args, *named.values())
        before = _versions(given)
        written = self._own[layer](*args, **named)
        plain = isinstance(written, Tensor) and before == _versions(given)
        calls.append((_Call(read, written.detach().clone(), written._version), written) if plain else None)
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


def _is_function(module: nn.Module) -> bool:
    """Whether a module is one of torch's own without others inside: what it gives depends on what it reads alone."""
    return type(module).__module__.startswith("torch.nn.modules.") and not any(module.children())


def _versions(values: Iterable[Any]) -> list[int]:
    """How often each tensor was overwritten, as torch counts it."""
    return [value._version for value in values if isinstance(value, Tensor)]


@dataclass(frozen=True, eq=False)
class _Call:
    """What a layer read and wrote at a call when nothing was changed.

    Attributes
    ----------
    read : tensor, optional
        What it read; None where that is not needed.
    written : tensor
        What it wrote, as it was then.
    version : int, optional
        How often what it wrote had been overwritten then; None where the module overwrites it later.
    """

    read: Tensor | None
    written: Tensor
    version: int | None

    def ended(self, passed_on: Tensor) -> "_Call":
        """The call once the run is over: ``passed_on``, which the next layer read, is as it stays."""
        return replace(self, version=self.version if passed_on._version == self.version else None)

    def again(self) -> Tensor:
        """What was written, as a tensor that the module may overwrite if it does so."""
        return self.written.clone() if self.version is None else self.written


class _Run:
    """One run with changes: how many times each layer was called, and whether a change was read yet."""

    def __init__(self, replay: Replay, changes: Mapping[str, Change]) -> None:
        self._replay, self._changes = replay, changes
        self._counts = dict.fromkeys(replay._calls, 0)
        self._touched = False

    def call(self, layer: nn.Module, *args: Any, **named: Any) -> Any:
        """What the layer gives, its changed sources set."""
        known = self._recorded(layer)
        changes = {t: self._changes[t] for t in self._replay._tensors.get(layer, ()) if t in self._changes}
        if known is not None and self._stands(known, args):
            if not changes:
                return known.again()
            self._touched = True
            return self._corrected(known, changes)
        for mask, values in changes.values():
            self._touched, args = True, (torch.where(mask, values, args[0]), *args[1:])
        return self._replay._own[layer](*args, **named)

    def _stands(self, known: _Call, args: tuple[Any, ...]) -> bool:
        """Whether a layer reads at this call what it read when nothing was changed."""
        return not self._touched or (known.read is not None and torch.equal(args[0], known.read))

    def _recorded(self, layer: nn.Module) -> _Call | None:
        """The layer's call of this number when nothing was changed."""
        calls = self._replay._calls.get(layer, [])
        number = self._counts.get(layer, 0)
        self._counts[layer] = number + 1
        return calls[number] if number < len(calls) else None

    def _corrected(self, known: _Call, changes: Mapping[str, Change]) -> Tensor:
        """What was written, had some of what was read been other values."""
        assert known.read is not None
        found = known.written.reshape(-1, known.written.shape[-1])
        for tensor, (mask, values) in changes.items():
            (chosen,) = mask.nonzero(as_tuple=True)  # found once, where each use of the mask would look for them
            apart = (values[chosen] - known.read[..., chosen]).reshape(len(found), -1)
            matrix = self._replay._matrices[tensor][chosen]
            # of one source the product is an outer one, which torch.addmm computes in twice the time
            found = torch.addcmul(found, apart, matrix) if len(chosen) == 1 else torch.addmm(found, apart, matrix)
        return found.reshape(known.written.shape)
