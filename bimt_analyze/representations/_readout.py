"""Where a number can be read off linearly along a network's stream, module by module and token by token."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network

_RIDGE = 1e-8  # of the mean square of the columns: keeps dead dimensions out of the solution


@dataclass(frozen=True)
class Readout:
    """How well a linear function of a module's output gives the number.

    Attributes:
        module: whose output was read.
        token: at which token; -1 where the module's output has no tokens.
        r2: 1 - residual variance / variance, on the half of the rows that the fit did not see.
    """

    module: str
    token: int
    r2: float


def readability(
    network: Network,
    x: Float[np.ndarray, "rows columns"],
    target: Float64[np.ndarray, " rows"],
    *,
    modules: Sequence[str] | None = None,
) -> tuple[Readout, ...]:
    """For each module and token, how well ``target`` can be read off linearly, in the order of computation.

    A ridge regression with a constant, fitted on the even rows and judged on the odd ones.

    Args:
        network: any.
        x: rows as the network sees them.
        target: the number, row by row: the weight w = y1/x1 of in-context regression, say.
        modules: whose outputs are read; left out, those that write a residual stream (``read`` and ``blocks.N``).

    Raises:
        InputError: rows that do not pair up, fewer than 20, or no such module.
    """
    import torch

    if len(x) != len(target) or len(x) < 20:
        raise InputError(
            "rows do not pair up", where="x, target", expected="20 or more", got=f"{len(x)}, {len(target)}"
        )
    module = network.module().double()
    known = dict(module.named_modules())
    chosen = [n for n in known if n == "read" or n.rpartition(".")[0] == "blocks"] if modules is None else list(modules)
    missing = [name for name in chosen if name not in known]
    if missing or not chosen:
        mend = "name modules of the network"
        raise InputError(
            "no such module", expected=", ".join(filter(None, known)), got=str(missing or "none"), mend=mend
        )
    seen: dict[str, np.ndarray] = {}

    def keep(name: str) -> object:
        def hook(_: object, __: object, out: torch.Tensor) -> None:
            seen[name] = out.detach().numpy()

        return known[name].register_forward_hook(hook)

    for name in chosen:
        keep(name)
    with torch.no_grad():
        module(torch.tensor(x, dtype=torch.float64))
    found = []
    for name in chosen:
        stream = seen[name].reshape(len(x), -1, seen[name].shape[-1])
        several = seen[name].ndim > 2
        found += [Readout(name, t if several else -1, _r2(stream[:, t], target)) for t in range(stream.shape[1])]
    return tuple(found)


def _r2(stream: Float64[np.ndarray, "rows width"], target: Float64[np.ndarray, " rows"]) -> float:
    columns = np.column_stack([np.ones(len(stream)), stream])
    fit, held = columns[::2], columns[1::2]
    normal = fit.T @ fit
    normal += _RIDGE * np.trace(normal) / len(normal) * np.eye(len(normal))
    said = held @ np.linalg.solve(normal, fit.T @ target[::2])
    spread = float(np.var(target[1::2]))
    return 1.0 - float(np.mean((target[1::2] - said) ** 2)) / spread if spread > 0 else 0.0
