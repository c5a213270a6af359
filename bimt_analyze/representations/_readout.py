"""Where along a network a number is linearly readable, module by module and token by token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

if TYPE_CHECKING:
    import torch

LEAST_ROWS = 20  # half of them for the fit
_RIDGE = 1e-8  # of the mean square of the columns: keeps dead dimensions out of the solution


@dataclass(frozen=True, repr=False)
class Readout(Shown):
    """How well a linear probe of a module's output gives a number.

    Attributes
    ----------
    module : str
        Name of the torch module whose output was read.
    token : int
        Number of the token at which it was read; -1 where the module's output has no tokens.
    r2 : float
        1 - residual variance / variance, on the half of the rows that the fit did not see.

    Examples
    --------
    >>> from bimt_analyze.representations import Readout
    >>> found = [Readout("blocks.0", token=3, r2=0.2), Readout("blocks.1", token=3, r2=0.98)]
    >>> max(found, key=lambda readout: readout.r2).module
    'blocks.1'
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
    """For each module and token, measure how well a number is linearly readable, in the order of computation.

    The probe is a ridge regression with a constant, fitted on the even rows and judged on the odd ones.

    Parameters
    ----------
    network : Network
        Any network.
    x : array of float, shape (rows, columns)
        Input rows as the network sees them.
    target : array of float64, shape (rows,)
        The number, row by row: the weight w = y1/x1 of in-context regression, say.
    modules : sequence of str, optional
        Names of the torch modules whose outputs are read; left out, those that write a residual stream (``read`` and
        ``blocks.N``).

    Returns
    -------
    tuple of Readout
        One readout a module and token.

    Raises
    ------
    InputError
        Rows do not pair up, there are fewer than 20, or there is no such module.

    Examples
    --------
    >>> from bimt_analyze.representations import readability
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 3, 1)] * 2, seed=1)
    >>> (found,) = readability(planted.network, planted.x, planted.x[:, 0], modules=["layers.0"])
    >>> found.module, found.token, round(found.r2, 3)
    ('layers.0', -1, 1.0)
    """
    if len(x) != len(target):
        expected, got = "a number for each row", f"{len(x)}, {len(target)}"
        raise InputError("rows do not pair up", where="x, target", expected=expected, got=got)
    found = []
    for name, stream in stream_values(network, x, modules).items():
        tokens = [-1] if stream.ndim == 2 else list(range(stream.shape[1]))
        for token in tokens:
            values = stream if stream.ndim == 2 else stream[:, token]
            found.append(Readout(name, token, held_out_r2(values, target[:, None])))
    return tuple(found)


def stream_values(
    network: Network, x: Float[np.ndarray, "rows columns"], modules: Sequence[str] | None = None
) -> dict[str, Float64[np.ndarray, "rows *tokens width"]]:
    """Compute what torch modules of a network put out.

    Parameters
    ----------
    network : Network
        Any network.
    x : array of float, shape (rows, columns)
        Input rows as the network sees them, 20 or more.
    modules : sequence of str, optional
        Names of torch modules; left out, those that write a residual stream (`stream_modules`).

    Returns
    -------
    dict of str to array of float64
        Module -> shape (rows, tokens, width), or (rows, width) where its output has no tokens.

    Raises
    ------
    InputError
        There are fewer than 20 rows, or there is no such module.
    """
    import torch

    if len(x) < LEAST_ROWS:
        raise InputError("too few rows for a probe", where="x", expected=f"{LEAST_ROWS} or more", got=str(len(x)))
    module = network.module().double()
    known = dict(module.named_modules())
    chosen = stream_modules(module) if modules is None else tuple(modules)
    missing = [name for name in chosen if name not in known]
    if missing or not chosen:
        hint = "name modules of the network"
        raise InputError(
            "no such module", expected=", ".join(filter(None, known)), got=str(missing or "none"), hint=hint
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
    width = {name: seen[name].shape[-1] for name in chosen}
    return {
        name: seen[name] if seen[name].ndim == 2 else seen[name].reshape(len(x), -1, width[name]) for name in chosen
    }


def stream_modules(module: "torch.nn.Module") -> tuple[str, ...]:
    """Names of the torch modules that write a residual stream: ``read`` and ``blocks.N``.

    Parameters
    ----------
    module : torch.nn.Module
        The network as a torch module.

    Returns
    -------
    tuple of str
        The names, in the order of computation.
    """
    return tuple(n for n, _ in module.named_modules() if n == "read" or n.rpartition(".")[0] == "blocks")


def held_out_r2(stream: Float64[np.ndarray, "rows width"], target: Float64[np.ndarray, "rows targets"]) -> float:
    """How well a ridge regression, fitted on the even rows, gives the targets of the odd ones.

    Parameters
    ----------
    stream : array of float64, shape (rows, width)
        What is read, row by row.
    target : array of float64, shape (rows, targets)
        What it should give.

    Returns
    -------
    float
        1 - residual variance / variance, both summed over the targets; 0 where these do not vary.
    """
    columns = np.column_stack([np.ones(len(stream)), stream])
    fit, held = columns[::2], columns[1::2]
    normal = fit.T @ fit
    normal += _RIDGE * np.trace(normal) / len(normal) * np.eye(len(normal))
    said = held @ np.linalg.solve(normal, fit.T @ target[::2])
    spread = float(np.var(target[1::2], axis=0).sum())
    return 1.0 - float(np.mean((target[1::2] - said) ** 2, axis=0).sum()) / spread if spread > 0 else 0.0
