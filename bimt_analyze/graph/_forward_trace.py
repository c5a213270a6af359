"""One forward pass of a network, kept so that its activations and gradients can be asked for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Num
from torch import Tensor, nn

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models.building_blocks.linear_layers import linear_layers

from ._edge_weights import Unfollowed

_SLACK = 1e-9  # of the largest output: how far a module may be from affine, in double precision


class Trace:
    """What the modules around each weight tensor read and wrote on a batch of rows, in double precision.

    The module that applies a weight tensor (`linear_layers`: "layers.0" for "layers.0.weight", or the reader of a
    traced module) must apply it as an affine map, out = in W^T + b, as torch.nn.Linear does, or its transpose where the
    pattern says so; this is checked on the batch, not guessed from the module's class. A kernel of a convolution is a
    matrix too: of its targets by all that is read at one place. Then ``in`` is the source neurons' activation a_j, and
    ``out`` the target neurons' pre-activation, or their share of it where several tensors write to one group. A module
    that is called several times (once a position, once a step) gives its rows one after the other.

    Parameters
    ----------
    network : Network
        Its module is built afresh; the network itself is never touched.
    x : array [rows, ...]
        Rows as the network sees them.
    tensors : sequence of str, optional
        The weight tensors to follow; left out, all of them.

    Raises
    ------
    Unfollowed
        A tensor without a module that applies it as an affine map.
    InputError
        No rows, or values that are not finite.

    Examples
    --------
    >>> import torch
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP((3, 4, 2), "tanh", generator=torch.Generator().manual_seed(0)))
    >>> trace = Trace(network, np.zeros((5, 3)))
    >>> trace.tensors
    ('layers.0.weight', 'layers.1.weight')
    >>> trace.sources("layers.1.weight").shape, trace.outputs().shape, trace.jacobian().shape
    ((5, 4), (5, 2), (5, 2, 3))
    """

    def __init__(
        self, network: Network, x: Num[np.ndarray, "rows ..."], *, tensors: Sequence[str] | None = None
    ) -> None:
        if x.ndim < 1 or not len(x):
            raise InputError("no rows to follow", where="x", got=str(list(x.shape)), hint="give a probe batch")
        self.network = network
        self.tensors = tuple(network.layout.weights() if tensors is None else tensors)
        self._module: nn.Module = network.module().double()
        self._module.requires_grad_(False)
        floating = np.issubdtype(x.dtype, np.floating)
        self._x = torch.tensor(x, dtype=torch.float64 if floating else None, requires_grad=bool(floating))
        with _recording(self._module, self.tensors) as calls:
            out = self._module(self._x)
        if not isinstance(out, Tensor) or not bool(torch.isfinite(out).all()):
            raise InputError("a network without one finite output tensor", where="x", hint="check the probe batch")
        self._out: Tensor = out.reshape(len(x), -1)
        self._calls: dict[str, list[tuple[Tensor, Tensor]]] = calls
        for tensor in self.tensors:
            self._check(tensor)

    def sources(self, tensor: str) -> Float64[np.ndarray, "samples sources"]:
        """What the tensor's source axis read: activations.

        Parameters
        ----------
        tensor : str
            One of ``tensors``.

        Returns
        -------
        array [samples, sources]
            One column an entry of the source axis (of all axes but the targets' for a kernel); folded copies are not
            summed.
        """
        return np.concatenate([_flat(read).numpy() for read, _ in self._calls[tensor]])

    def matrix(self, tensor: str) -> Float64[Tensor, "sources targets"]:
        """The matrix M of what the tensor's module computes, in @ M + bias.

        Parameters
        ----------
        tensor : str
            One of ``tensors``.

        Returns
        -------
        tensor [sources, targets]
            The weights, turned where the pattern says so; a kernel as a matrix of all that is read at one place.
        """
        array = torch.tensor(self.network.tensors[tensor], dtype=torch.float64)
        matrix = array.reshape(len(array), -1)
        return matrix if self.network.layout.tensors[tensor].plan.source_first else matrix.T

    def outputs(self) -> Float64[np.ndarray, "rows outputs"]:
        """The network's outputs.

        Returns
        -------
        array [rows, outputs]
            Everything after the rows in one axis.
        """
        found: Float64[np.ndarray, "rows outputs"] = self._out.detach().numpy()
        return found

    def output_gradients(self) -> Iterator[dict[str, Float64[np.ndarray, "_ _"]]]:
        """Gradients of each output k in turn with respect to what each tensor wrote, row by row.

        Rows must not influence each other (no batch statistics in training mode): then the gradient of the sum over
        rows is each row's own.

        Yields
        ------
        dict of str to array [samples, targets]
            Tensor -> d y_k / d (what the tensor wrote).
        """
        ends = [(tensor, written) for tensor in self.tensors for _, written in self._calls[tensor]]
        for k in range(self._out.shape[1]):
            slopes = self._slopes(self._out[:, k].sum(), [written for _, written in ends])
            found: dict[str, list[np.ndarray]] = {tensor: [] for tensor in self.tensors}
            for (tensor, _), slope in zip(ends, slopes, strict=True):
                found[tensor].append(_flat(slope).numpy())
            yield {tensor: np.concatenate(parts) for tensor, parts in found.items()}

    def jacobian(self) -> Float64[np.ndarray, "rows outputs inputs"]:
        """Derivatives d y_k / d x_j, row by row.

        Returns
        -------
        array [rows, outputs, inputs]
            The derivatives.

        Raises
        ------
        InputError
            The inputs are no numbers that can be varied (tokens).
        """
        self._check_inputs()
        slopes = [
            self._slopes(self._out[:, k].sum(), [self._x])[0].reshape(len(self._x), -1)
            for k in range(self._out.shape[1])
        ]
        return np.stack([slope.numpy() for slope in slopes], axis=1)

    def input_sensitivity(self, tensor: str) -> Float64[np.ndarray, "targets inputs"]:
        """Mean over rows, summed over calls, of (d (what the tensor wrote)_i / d x_j)^2.

        Parameters
        ----------
        tensor : str
            One of ``tensors``.

        Returns
        -------
        array [targets, inputs]
            Mean squared derivatives.

        Raises
        ------
        InputError
            The inputs are no numbers that can be varied (tokens).
        """
        self._check_inputs()
        written = [out for _, out in self._calls[tensor]]
        found = []
        for i in range(written[0].shape[-1]):
            total = torch.stack([out[..., i].sum() for out in written]).sum()
            slope = self._slopes(total, [self._x])[0].reshape(len(self._x), -1)
            found.append((slope**2).mean(0).numpy())
        return np.stack(found)

    def _slopes(self, of: Tensor, to: Sequence[Tensor]) -> list[Tensor]:
        if not of.requires_grad:
            return [torch.zeros_like(t) for t in to]
        slopes = torch.autograd.grad(of, to, retain_graph=True, allow_unused=True)
        return [torch.zeros_like(t) if s is None else s for s, t in zip(slopes, to, strict=True)]

    def _check_inputs(self) -> None:
        if not self._x.requires_grad:
            hint = 'use weights="magnitude", or ask about a network that reads numbers'
            raise InputError("inputs that cannot be varied", where="x", expected="floats", got="tokens", hint=hint)

    def _check(self, tensor: str) -> None:
        spec, array = self.network.layout.tensors[tensor], self.network.tensors[tensor]
        calls = self._calls[tensor]
        # a kernel is read as a matrix of its targets by all that a place reads
        flat = array.ndim == 2 or (array.ndim > 2 and not spec.plan.source_first)
        fits = bool(calls) and flat
        turned = self.matrix(tensor) if fits else None
        for read, written in calls:
            if not fits or turned is None:
                break
            fits = read.shape[-1:] == turned.shape[:1] and written.shape[-1:] == turned.shape[1:]
            if fits:
                rest = _flat(written.detach() - read @ turned)
                slack = _SLACK * float(1 + written.detach().abs().max())
                fits = bool((rest - rest[:1]).abs().max() <= slack)
        if not fits:
            raise Unfollowed(
                "cannot follow what this tensor reads and writes",
                where=f"tensor '{tensor}'",
                expected="its own module to compute in @ weight.T + bias, as torch.nn.Linear does",
                got="no such module, or another computation",
                hint='use weights="magnitude"',
            )


@contextmanager
def _recording(module: nn.Module, tensors: Sequence[str]) -> Iterator[dict[str, list[tuple[Tensor, Tensor]]]]:
    """While inside, note input and output of each tensor's own submodule."""
    calls: dict[str, list[tuple[Tensor, Tensor]]] = {tensor: [] for tensor in tensors}

    def note(tensor: str, owner: nn.Module, args: tuple[Any, ...], out: Any) -> Any:
        if not (args and isinstance(args[0], Tensor) and isinstance(out, Tensor)):
            return None
        # gradients are asked for at what the module wrote, so it must take part in the graph
        if not out.requires_grad:
            out.requires_grad_(True)
        calls[tensor].append((args[0].detach().clone(), out))
        return out.clone()  # an activation that works in place must not change the record

    layers = linear_layers(module)
    handles = [layers[tensor].register_forward_hook(partial(note, tensor)) for tensor in tensors if tensor in layers]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _flat(values: Tensor) -> Tensor:
    return values.reshape(-1, values.shape[-1])
