"""Networks as modules of torch, for the formats that torch writes."""

import re
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bimt_train import InputError

from .._compact_network import CompactNetwork
from .._parts import Parts
from ..layers._torch_neurons_first import NeuronsFirst

_NEURONS_FIRST = ", neurons first"
_BLOCK = 500  # rows that a thread takes at once


class ModulesApart(nn.Module):
    """Several modules, each with the inputs that it reads; ``module_1``, ``module_2``, ... in the file.

    Parameters
    ----------
    parts : Parts
        The modules and the network that they make up.
    neurons_first : bool
        Whether rows are those of neurons.
    """

    def __init__(self, parts: Parts, *, neurons_first: bool = False) -> None:
        super().__init__()
        at = {column: place for place, column in enumerate(parts.whole.reads)}
        self.names = [f"module_{number}" for number in range(1, len(parts.modules) + 1)]
        self.axis = 0 if neurons_first else 1  # of the neurons
        for name, one in zip(self.names, parts.modules, strict=True):
            self.add_module(name, one.to_torch_neurons_first() if neurons_first else one.to_torch())
            self.register_buffer(f"{name}_reads", torch.tensor([at[column] for column in one.reads]))
        given = [place for one in parts.modules for place in one.places]
        self.order: Tensor
        self.register_buffer("order", torch.tensor([given.index(place) for place in parts.whole.places]))

    def forward(self, x: Float[Tensor, "_ _"]) -> Float[Tensor, "_ _"]:
        """Run each module on the rows of ``x``, and put the outputs in order."""
        return self.together([self.given(name, x) for name in self.names])

    def given(self, name: str, x: Float[Tensor, "_ _"]) -> Float[Tensor, "_ _"]:
        """What the module of a ``name`` gives on rows ``x``."""
        read = x.index_select(self.axis, self.get_buffer(f"{name}_reads"))
        outputs: Float[Tensor, "_ _"] = self.get_submodule(name)(read)
        return outputs

    def together(self, given: Sequence[Tensor]) -> Float[Tensor, "_ _"]:
        """The outputs in order, from what is ``given`` by each module."""
        return torch.cat(list(given), dim=self.axis).index_select(self.axis, self.order)


class ModulesInThreads(ModulesApart):
    """Several modules, run side by side.

    Parameters
    ----------
    parts : Parts
        The modules and the network that they make up.
    threads : int
        How many run at once.
    """

    def __init__(self, parts: Parts, threads: int) -> None:
        super().__init__(parts)
        self.pool = ThreadPoolExecutor(threads)

    def forward(self, x: Float[Tensor, "rows inputs"]) -> Float[Tensor, "rows outputs"]:
        """Hand each module to a thread, some rows of ``x`` at a time so that none waits long for another, and wait."""
        blocks = torch.split(x, _BLOCK)
        jobs = [(name, block) for name in self.names for block in blocks]
        done = list(self.pool.map(self._without_gradient, *zip(*jobs, strict=True)))
        return self.together([torch.cat(done[at : at + len(blocks)]) for at in range(0, len(done), len(blocks))])

    def _without_gradient(self, name: str, x: Tensor) -> Tensor:
        with torch.inference_mode():
            return self.given(name, x)


def variants(parts: Parts) -> tuple[str, ...]:
    """Whole, or modules apart where there are several; a row for each neuron where all layers have that form."""
    found = ("modules apart", "one module") if len(parts.modules) > 1 else ("one module",)
    turned = parts.whole.to_torch_neurons_first() is not None
    return (*found, *(f"{one}{_NEURONS_FIRST}" for one in found if turned))


def module_of(parts: Parts, variant: str) -> nn.Module:
    """The module that is written.

    Parameters
    ----------
    parts : Parts
        The network.
    variant : str
        One of `variants`.

    Returns
    -------
    torch.nn.Module
        In evaluation mode.
    """
    turned, network = variant.endswith(_NEURONS_FIRST), parts.whole
    if variant.startswith("modules apart"):
        module: nn.Module | None = ModulesApart(parts, neurons_first=turned)
    else:
        module = network.to_torch_neurons_first() if turned else network.to_torch()
    assert module is not None
    return (NeuronsFirst(module) if turned else module).eval()


def example_rows(network: CompactNetwork) -> Tensor:
    """Three rows by which torch follows a network."""
    return torch.zeros(3, len(network.reads))


def any_rows() -> tuple[dict[int, Any]]:
    """A first axis of any length, in the form that torch.export takes."""
    return ({0: torch.export.Dim("rows", min=1)},)


@contextmanager
def quiet() -> Iterator[None]:
    """Torch warns of its own doings while it exports, and says in pages what it cannot export."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        try:
            yield
        except (RuntimeError, TypeError, ValueError, torch.onnx.OnnxExporterError) as error:
            lines = re.sub(r"\x1b\[[\d;]*m", "", str(error)).strip().splitlines() or [type(error).__name__]
            raise InputError(
                "a network that torch cannot export", got=lines[0][:200],
                hint="export .safetensors, or .c where the kind of model allows it",
            ) from error  # fmt: skip
