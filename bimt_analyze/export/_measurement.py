"""How fast an export runs, beside the dense network, in one run."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Network
from bimt_train.extras import installed
from bimt_train.showing import Shown

from ._parts import Run

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
        The network before pruning, in torch, from all columns.
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
        return {"threads": 1, "rows per second": speeds, **sizes}


def timings(
    run: Run, network: Network, x: Float64[np.ndarray, "rows columns"], reads: Sequence[int]
) -> tuple[Timing, ...]:
    """Time an export and the dense network, call by call in turn.

    Parameters
    ----------
    run : callable
        The export, from the columns that are left.
    network : Network
        The network before pruning.
    x : array of shape (rows, columns)
        Rows of all columns; repeated where they are fewer than are asked for.
    reads : sequence of int
        The columns that are left.

    Returns
    -------
    tuple of Timing
        For 1, 100 and 2,000 rows; empty where torch is not installed.
    """
    if not installed("torch"):
        return ()
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        module = network.module().float().eval()
        found = []
        for rows in ROWS:
            some = np.resize(x, (rows, x.shape[1])).astype(np.float32)
            kept, tensor = np.ascontiguousarray(some[:, list(reads)]), torch.from_numpy(some)

            def dense(tensor: "torch.Tensor" = tensor) -> object:
                with torch.inference_mode():
                    return module(tensor)

            def export(kept: np.ndarray = kept) -> object:
                return run(kept)

            found.append(Timing(rows, *least_seconds(dense, export)))
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
