"""How fast an export runs, beside the dense network, in one run."""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ._parts import Run

if TYPE_CHECKING:
    from torch import Tensor, nn

ROWS = (1, 100, 2000)
_SECONDS, _FEWEST = 0.06, 15  # for each figure; calls at least


@dataclass(frozen=True, repr=False)
class Timing(Shown):
    """Seconds for a batch of rows, the least of several calls.

    Attributes
    ----------
    rows : int
        Rows at once.
    dense : float
        The network before pruning, in torch, from all columns; `Measurement.dense_by` says as which module.
    export : float
        The export, from the columns that are left.

    Examples
    --------
    >>> Timing(rows=100, dense=2e-4, export=2e-5).times
    10.0
    """

    rows: int
    dense: float
    export: float

    @property
    def times(self) -> float:
        """How many times faster the export is."""
        return round(self.dense / self.export, 3)


@dataclass(frozen=True, repr=False)
class Measurement(Shown):
    """What an export costs, and what the dense network costs. One thread.

    Attributes
    ----------
    timings : tuple of Timing
        For some numbers of rows; empty where nothing here runs the file, or torch is not installed.
    bytes : int
        Of the export's weights, biases and indices.
    dense_bytes : int
        Of the dense network's weights and biases, in single precision.
    multiply_adds : int
        Multiplications by weights for one row; of a network that is kept whole, for one token of it.
    dense_multiply_adds : int
        Those of the dense network.
    dense_by : str
        What ran the dense network.

    Examples
    --------
    >>> found = Measurement((Timing(1, 2e-5, 1e-5),), 40, 400, 7, 90)
    >>> found.to_json()["rows per second"]
    {'1': {'export': 100000, 'dense': 50000}}
    """

    timings: tuple[Timing, ...]
    bytes: int
    dense_bytes: int
    multiply_adds: int
    dense_multiply_adds: int
    dense_by: str = ""

    def _brief(self) -> str:
        return "; ".join(self.lines())

    def lines(self) -> list[str]:
        """A sentence for each figure."""
        speeds = [
            f"{one.rows} row{'s'[: one.rows > 1]}: {one.rows / one.export:,.0f} a second, dense "
            f"{one.rows / one.dense:,.0f}: {one.times:.1f} times"
            for one in self.timings
        ]
        return [
            *speeds,
            *([f"dense is {self.dense_by}"] if speeds and self.dense_by else []),
            f"bytes of numbers: {self.bytes:,}, dense {self.dense_bytes:,}",
            f"multiply-adds a row: {self.multiply_adds:,}, dense {self.dense_multiply_adds:,}",
        ]

    def to_json(self) -> dict[str, Any]:
        """The figures, as plain values."""
        speeds = {
            str(one.rows): {"export": round(one.rows / one.export), "dense": round(one.rows / one.dense)}
            for one in self.timings
        }
        sizes = {name: getattr(self, name) for name in ("bytes", "dense_bytes", "multiply_adds", "dense_multiply_adds")}
        return {"threads": 1, "rows per second": speeds, **({"dense": self.dense_by} if self.dense_by else {}), **sizes}


def dense_calls(network: Network, own: "nn.Module | None") -> "tuple[Callable[[Tensor], object], str]":
    """What runs the network before pruning in torch, on rows of all columns, and what that is.

    A traced network goes through its operators one by one, which takes longer than the module that was traced.

    Parameters
    ----------
    network : Network
        The network before pruning.
    own : torch.nn.Module or None
        The module that it was read from, where it is at hand.

    Returns
    -------
    callable
        From rows of all columns to the outputs.
    str
        What it is, for a sentence.
    """
    from bimt_train.models.traced._traced_module import TracedModule

    module = network.module().float().eval()
    if own is None:
        slower = "the traced network, one operator after the other: the module itself may be faster"
        return module, slower if isinstance(module, TracedModule) else "the network in torch"
    given = copy.deepcopy(own).float().eval()
    if isinstance(module, TracedModule):
        return lambda x: given(*module.arguments_of(x)), "the module that was given"
    return given, "the module that was given"


def timings(
    run: Run, dense: "Callable[[Tensor], object]", x: Float64[np.ndarray, "rows columns"], reads: Sequence[int]
) -> tuple[Timing, ...]:
    """Time an export and the dense network, call by call in turn.

    Parameters
    ----------
    run : callable
        The export, from the columns that are left.
    dense : callable
        The network before pruning, from a tensor of all columns.
    x : array of shape (rows, columns)
        Rows of all columns; repeated where they are fewer than are asked for.
    reads : sequence of int
        The columns that are left.

    Returns
    -------
    tuple of Timing
        For 1, 100 and 2,000 rows.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = []
        for rows in ROWS:
            some = np.resize(x, (rows, x.shape[1])).astype(np.float32)
            kept, tensor = np.ascontiguousarray(some[:, list(reads)]), torch.from_numpy(some)

            def before(tensor: "Tensor" = tensor) -> object:
                with torch.inference_mode():
                    return dense(tensor)

            def export(kept: np.ndarray = kept) -> object:
                return run(kept)

            found.append(Timing(rows, *least_seconds(before, export)))
        return tuple(found)
    finally:
        torch.set_num_threads(threads)


def least_seconds(*calls: Callable[[], object], seconds: float = _SECONDS) -> tuple[float, ...]:
    """The least time of each of some calls, made in turn so that a busy moment meets all of them.

    Parameters
    ----------
    *calls : callable
        What is timed.
    seconds : float
        For how long, together.

    Returns
    -------
    tuple of float
        Seconds, one for each.
    """
    least = [float("inf")] * len(calls)
    for call in calls:
        call()  # the first call pays for what later ones find ready
    end, done = time.perf_counter() + seconds * len(calls), 0
    while done < _FEWEST or time.perf_counter() < end:
        for number, call in enumerate(calls):
            began = time.perf_counter()
            call()
            least[number] = min(least[number], time.perf_counter() - began)
        done += 1
    return tuple(least)
