"""A module's run on fixed rows, repeated with a few of its neurons changed."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from jaxtyping import Bool, Float64, Int64
from torch import Tensor, nn

from bimt_train.models.building_blocks.linear_layers import linear_layers

_FEW = 0.25  # of a layer's neurons: up to here they are written one by one
_SPARSE = 0.1  # of a large matrix: up to here a product that skips what is 0 is faster
_LARGE = 100_000  # entries
_ENTRY_BY_ENTRY = frozenset({
    nn.CELU, nn.ELU, nn.GELU, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.Identity, nn.LeakyReLU, nn.LogSigmoid,
    nn.Mish, nn.ReLU, nn.ReLU6, nn.SELU, nn.Sigmoid, nn.SiLU, nn.Softplus, nn.Softsign, nn.Tanh, nn.Tanhshrink,
})  # fmt: skip

Change = tuple[Bool[Tensor, " sources"], Float64[Tensor, " sources"]]
"""Which of the sources of a weight tensor are changed, and all their values (of which only the changed ones count)."""

_Place = tuple[nn.Module, int]
"""A call of a layer: the layer, and how often it was called before."""


class Replay:
    """What a module gives for fixed rows when some of what its linear layers read is set to other values.

    Nothing before the first change is computed again, and the first layer that reads a change is only corrected for it.
    Where that moves few of its neurons, so are the functions and layers behind it: of a chain of layers, a change in
    the last one costs next to nothing, and one that sparse weights read costs little.

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
        makers = dict[int, _Place]()  # of the tensors that are passed on, which `noted` keeps
        notes = {each: partial(self._note, each, calls, makers) for each, calls in noted.items()}
        with torch.no_grad(), self._forwards(notes):
            self._untouched: Tensor = module(x)
        self._calls = {each: [call and call[0].ended(call[1]) for call in calls] for each, calls in noted.items()}
        self._sparse = {tensor: _if_sparse(matrix) for tensor, matrix in matrices.items()}
        self._copies = dict[_Place, Tensor]()  # of what was written; a run changes some columns, and takes them back

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
            try:
                found: Tensor = self._module(self._x)
                return found.clone() if run.written else found
            finally:
                run.take_back()

    def _called(self, changes: Mapping[str, Change]) -> set[nn.Module]:
        return {*self._calls} | {
            layer for layer, own in self._tensors.items() if any(tensor in changes for tensor in own)
        }

    def _note(
        self,
        layer: nn.Module,
        calls: list["tuple[_Call, Tensor] | None"],
        makers: dict[int, _Place],
        *args: Any,
        **named: Any,
    ) -> Any:
        read = args[0].detach().clone() if layer in self._layers else None
        given = (*args, *named.values())
        before = _versions(given)
        maker = makers.get(id(args[0])) if len(given) == len(args) == 1 and before == [0] else None
        written = self._own[layer](*args, **named)
        plain = isinstance(written, Tensor) and before == _versions(given)
        calls.append((_Call(read, written.detach().clone(), written._version, maker), written) if plain else None)
        if plain:
            makers[id(written)] = layer, len(calls) - 1
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


def _if_sparse(matrix: Float64[Tensor, "sources targets"]) -> Any:
    """A large matrix as scipy has sparse ones, where most of it is 0."""
    if matrix.numel() < _LARGE or torch.count_nonzero(matrix) > _SPARSE * matrix.numel():
        return None
    from scipy.sparse import csr_array

    return csr_array(matrix.detach().numpy())


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
    maker : (module, int), optional
        The call that gave the one tensor that it read, where that is known.
    """

    read: Tensor | None
    written: Tensor
    version: int | None
    maker: _Place | None

    def ended(self, passed_on: Tensor) -> "_Call":
        """The call once the run is over: ``passed_on``, which the next layer read, is as it stays."""
        return replace(self, version=self.version if passed_on._version == self.version else None)

    def again(self) -> Tensor:
        """What was written, as a tensor that the module may overwrite if it does so."""
        return self.written.clone() if self.version is None else self.written


@dataclass(frozen=True, eq=False)
class _Partly:
    """What a layer gave at a call, where that differs in a few columns from what it wrote when nothing was changed."""

    place: _Place
    known: _Call
    given: Tensor
    version: int
    columns: Int64[Tensor, " columns"]
    values: Tensor


class _Run:
    """One run with changes: how many times each layer was called, and what was changed so far.

    Attributes
    ----------
    written : list of _Partly
        What was given of which a few columns are changed; the last of them is what a layer behind it reads.
    """

    def __init__(self, replay: Replay, changes: Mapping[str, Change]) -> None:
        self._replay, self._changes = replay, changes
        self._counts = dict.fromkeys(replay._calls, 0)
        self._touched = False
        self.written: list[_Partly] = []

    def call(self, layer: nn.Module, *args: Any, **named: Any) -> Any:
        """What the layer gives, its changed sources set."""
        place, known = self._recorded(layer)
        changes = {t: self._changes[t] for t in self._replay._tensors.get(layer, ()) if t in self._changes}
        if known is not None and not changes and self._reads_partly(known, args, named):
            if type(layer) in _ENTRY_BY_ENTRY:
                moved = self.written[-1]
                return self._with_columns(place, known, moved.columns, self._replay._own[layer](moved.values))
            if layer in self._replay._layers and len(self._replay._tensors[layer]) == 1:
                (tensor,), moved = self._replay._tensors[layer], self.written[-1]
                assert known.read is not None
                return self._corrected(
                    place, known, tensor, moved.columns, moved.values - known.read[..., moved.columns]
                )
        if known is not None and self._stands(known, args):
            if not changes:
                return known.again()
            self._touched = True
            return self._with_changes(place, known, changes)
        for mask, values in changes.values():
            self._touched, args = True, (torch.where(mask, values, args[0]), *args[1:])
        return self._replay._own[layer](*args, **named)

    def take_back(self) -> None:
        """Make the copies what was written again; one that the module has overwritten is copied anew when needed."""
        for one in self.written:
            if one.given._version == one.version:
                one.given.index_copy_(-1, one.columns, one.known.written[..., one.columns])
            else:
                del self._replay._copies[one.place]

    def _reads_partly(self, known: _Call, args: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
        """Whether a layer reads what was given last, of which a few columns are changed, as it did untouched."""
        if not self.written or known.maker != self.written[-1].place or named or len(args) != 1:
            return False
        last = self.written[-1]
        return args[0] is last.given and last.given._version == last.version

    def _stands(self, known: _Call, args: tuple[Any, ...]) -> bool:
        """Whether a layer reads at this call what it read when nothing was changed."""
        return not self._touched or (known.read is not None and torch.equal(args[0], known.read))

    def _recorded(self, layer: nn.Module) -> tuple[_Place, _Call | None]:
        """The layer's call of this number when nothing was changed."""
        calls = self._replay._calls.get(layer, [])
        number = self._counts.get(layer, 0)
        self._counts[layer] = number + 1
        return (layer, number), calls[number] if number < len(calls) else None

    def _with_changes(self, place: _Place, known: _Call, changes: Mapping[str, Change]) -> Tensor:
        """What was written, had some of what was read been other values."""
        assert known.read is not None
        for tensor, (mask, values) in changes.items():
            (chosen,) = mask.nonzero(as_tuple=True)  # found once, where each use of the mask would look for them
            apart = values[chosen] - known.read[..., chosen]
            if len(changes) == 1:
                return self._corrected(place, known, tensor, chosen, apart)
            known = replace(known, written=self._plus(known.written, tensor, chosen, apart))
        return known.written

    def _corrected(
        self, place: _Place, known: _Call, tensor: str, chosen: Int64[Tensor, " chosen"], apart: Tensor
    ) -> Tensor:
        """What was written, had the chosen sources been so far apart from what they were."""
        rows = self._replay._matrices[tensor][chosen]
        (columns,) = (rows != 0).any(0).nonzero(as_tuple=True)
        if known.version is None or len(columns) > _FEW * rows.shape[1]:
            return self._plus(known.written, tensor, chosen, apart)
        values = known.written[..., columns] + apart @ rows[:, columns]
        return self._with_columns(place, known, columns, values)

    def _plus(self, written: Tensor, tensor: str, chosen: Int64[Tensor, " chosen"], apart: Tensor) -> Tensor:
        """What was written and what comes to it from sources that are so far apart from what they were."""
        flat = written.reshape(-1, written.shape[-1])
        apart = apart.reshape(len(flat), len(chosen))
        matrix, sparse = self._replay._matrices[tensor][chosen], self._replay._sparse[tensor]
        if len(chosen) == 1:  # of one source the product is an outer one, which torch.addmm computes in twice the time
            found = torch.addcmul(flat, apart, matrix)
        elif sparse is not None:
            found = flat + torch.from_numpy(apart.numpy() @ sparse[chosen.numpy()])
        else:
            found = torch.addmm(flat, apart, matrix)
        return found.reshape(written.shape)

    def _with_columns(self, place: _Place, known: _Call, columns: Int64[Tensor, " columns"], values: Tensor) -> Tensor:
        """What was written with some columns of other values: in a copy that is kept, as to make one takes longer."""
        copies = self._replay._copies
        given = copies[place] = copies[place] if place in copies else known.written.clone()
        given.index_copy_(-1, columns, values)
        self.written.append(_Partly(place, known, given, given._version, columns, values))
        return given
