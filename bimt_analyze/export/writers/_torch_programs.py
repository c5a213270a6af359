"""Networks as modules of torch, for the formats that torch writes."""

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bimt_train import InputError

from .._compact_network import CompactNetwork
from .._parts import Parts


class ModulesApart(nn.Module):
    """Several modules, each with the inputs that it reads; ``modules_1``, ``modules_2``, ... in the file.

    Parameters
    ----------
    parts : Parts
        The modules and the network that they make up.
    """

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        at = {column: place for place, column in enumerate(parts.whole.reads)}
        self.names = [f"module_{number}" for number in range(1, len(parts.modules) + 1)]
        for name, one in zip(self.names, parts.modules, strict=True):
            self.add_module(name, one.to_torch())
            self.register_buffer(f"{name}_reads", torch.tensor([at[column] for column in one.reads]))
        given = [place for one in parts.modules for place in one.places]
        self.order: Tensor
        self.register_buffer("order", torch.tensor([given.index(place) for place in parts.whole.places]))

    def forward(self, x: Float[Tensor, "rows inputs"]) -> Float[Tensor, "rows outputs"]:
        """Run each module, and put the outputs in order."""
        return self.together([self.given(name, x) for name in self.names])

    def given(self, name: str, x: Float[Tensor, "rows inputs"]) -> Float[Tensor, "rows given"]:
        """What the module of a ``name`` gives on rows ``x``."""
        read = x.index_select(1, self.get_buffer(f"{name}_reads"))
        outputs: Float[Tensor, "rows given"] = self.get_submodule(name)(read)
        return outputs

    def together(self, given: Sequence[Tensor]) -> Float[Tensor, "rows outputs"]:
        """The outputs in order, from what is ``given`` by each module."""
        return torch.cat(list(given), dim=1).index_select(1, self.order)


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
        """Hand each module to a thread, and wait for all."""
        return self.together(list(self.pool.map(self._without_gradient, self.names, repeat(x))))

    def _without_gradient(self, name: str, x: Tensor) -> Tensor:
        with torch.inference_mode():
            return self.given(name, x)


def variants(parts: Parts) -> tuple[str, ...]:
    """Whole, or modules apart where there are several."""
    return ("modules apart", "one module") if len(parts.modules) > 1 else ("one module",)


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
    module = ModulesApart(parts) if variant == "modules apart" else parts.whole.to_torch()
    return module.eval()


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
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise InputError(
                "a network that torch cannot export", got=lines[0][:200],
                hint="export .safetensors, or .c where the kind of model allows it",
            ) from error  # fmt: skip
