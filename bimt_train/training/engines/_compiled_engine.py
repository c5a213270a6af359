"""Steps by compiled code, for stacks of small layered networks on a CPU."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from ...losses import Loss
from ...models import DenseLayers
from ...native._load import compiled_module
from .._stack import Stack
from ._engine import Moments, Stretch

_AT_ONCE = 1e9  # multiplications and additions, a twentieth of a second


@dataclass(frozen=True)
class CompiledEngine:
    """Steps by code in C, in which one network after the other stays in the cache.

    A network's weights do not depend on which others are trained with it, nor on the number of threads.

    Attributes
    ----------
    code : module
        The compiled code.
    program : array of int
        What the networks are, as the code reads it.
    x : tensor, [networks, rows, inputs]
        Inputs; rows beyond those of y are padding.
    y : tensor, [networks, rows, outputs]
        Targets.
    threads : int
        Shares of the networks that are advanced side by side.
    kernel : int
        Which of the code's ``KERNELS`` computes; the first has the widest instructions of this machine.
    name : str
        What the engine is called.
    """

    code: ModuleType
    program: Int64[np.ndarray, " numbers"]
    x: Float[Tensor, "networks padded inputs"]
    y: Float[Tensor, "networks rows outputs"]
    threads: int
    steps_at_once: int
    kernel: int = 0
    name: str = "compiled"

    def advance(self, moments: Moments, stretch: Stretch) -> None:
        """Take the steps of the stretch, in place.

        Parameters
        ----------
        moments : Moments
            Weights and moments; written.
        stretch : Stretch
            The steps.
        """
        networks, rows = self.y.shape[:2]
        resting = np.zeros(networks, np.uint8)
        resting[list(stretch.resting)] = 1
        written = tuple(part.numpy() for part in moments.parts)
        read = (
            stretch.charges.contiguous().numpy(),
            self.x.numpy(),
            self.y.numpy(),
            stretch.lrs,
            resting,
            self.program,
        )
        picks = None if stretch.picks is None else np.ascontiguousarray(stretch.picks)
        batch = rows if picks is None else picks.shape[2]
        sizes = (self.kernel, networks, rows, self.x.shape[1], batch, stretch.start)
        shares = np.linspace(0, networks, self.threads + 1).astype(int).tolist()

        def some(share: int) -> None:
            self.code.advance(*written, *read, picks, *sizes, shares[share], shares[share + 1])

        if self.threads == 1:
            some(0)
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(some, range(self.threads)))


def compiled_engine(
    layers: DenseLayers | None, stack: Stack, x: Tensor, y: Tensor, loss: Loss, batch: int, threads: int
) -> CompiledEngine | None:
    """The engine for these networks, or None where they are not of its kinds or the code was not built.

    Parameters
    ----------
    layers : DenseLayers or None
        What the networks compute, where they are made of layers one after the other.
    stack : Stack
        How their parameters lie in a row.
    x : tensor, [networks, rows, inputs]
        Inputs.
    y : tensor, [networks, rows, outputs]
        Targets.
    loss : Loss
        What they are trained on.
    batch : int
        Rows a step.
    threads : int
        How many threads may compute.

    Returns
    -------
    CompiledEngine or None
        The engine.
    """
    fits = layers is not None and y.ndim == 3 and y.shape[2] == layers.widths[-1] and x.device.type == "cpu"
    if layers is None or not fits or x.dtype != torch.float32:
        return None
    code = compiled_module()
    if code is None or loss.name not in code.LOSSES or len(layers.widths) > code.MOST_LAYERS + 1:
        return None
    if not {layers.activation, layers.final} <= set(code.ACTIVATIONS):
        return None
    program = _program(code, layers, stack.shapes, stack.width, loss.name)
    step = 3 * len(x) * batch * sum(a * b for a, b in zip(layers.widths, layers.widths[1:], strict=False))
    return CompiledEngine(
        code,
        program,
        x.contiguous(),
        y.contiguous(),
        max(1, min(threads, len(x))),
        int(np.clip(_AT_ONCE / step, 1, 1000)),
    )


def _program(
    code: ModuleType, layers: DenseLayers, shapes: Mapping[str, tuple[int, ...]], width: int, loss: str
) -> Int64[np.ndarray, " numbers"]:
    """Sizes, offsets in a row, and codes of the loss and the activations."""
    sizes = [int(np.prod(shape)) for shape in shapes.values()]
    offset = dict(zip(shapes, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
    inputs, vector = layers.copies or layers.widths[0], layers.widths[0] // max(layers.copies, 1)
    table = offset["embedding.weight"] if layers.copies else 0
    numbers = [width, inputs, code.LOSSES.index(loss), layers.tokens, layers.copies, vector, table]
    last = len(layers.widths) - 2
    for number in range(last + 1):
        act = code.ACTIVATIONS.index(layers.final if number == last else layers.activation)
        read, given = layers.widths[number : number + 2]
        numbers += [read, given, offset[f"layers.{number}.weight"], offset[f"layers.{number}.bias"], act]
    return np.array(numbers, np.int64)
