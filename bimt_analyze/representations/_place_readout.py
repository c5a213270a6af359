"""Where along a transformer what stands at one place of a sequence can be read at the others."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ._readout import held_out_r2, stream_modules, stream_values

MOST_TOKENS = 256  # different whole numbers in a column from which they are taken as numbers, not as tokens


@dataclass(frozen=True, repr=False)
class PlaceReadout(Shown):
    """How well a linear probe at one token gives what stands at a place of the row.

    Attributes
    ----------
    place : int
        Number of the column whose content is read.
    module : str
        Name of the torch module whose output was read.
    token : int
        Number of the token at which it was read.
    r2 : float
        1 - residual variance / variance, on the half of the rows that the fit did not see; of tokens, over their
        one-hot codes.

    Examples
    --------
    >>> from bimt_analyze.representations._place_readout import PlaceReadout
    >>> moved = PlaceReadout(place=0, module="blocks.0", token=2, r2=0.9)
    >>> moved.token != moved.place
    True
    """

    place: int
    module: str
    token: int
    r2: float


def place_readability(network: Network, x: Float[np.ndarray, "rows columns"]) -> tuple[PlaceReadout, ...]:
    """For each place of a sequence, measure how well its content is linearly readable at each token of the stream.

    Parameters
    ----------
    network : Network
        A transformer that has one token a column.
    x : array of float, shape (rows, columns)
        Input rows as the network sees them, 20 or more. A column of up to 256 different whole numbers holds tokens.

    Returns
    -------
    tuple of PlaceReadout
        One a place whose content varies, module and token; empty where the stream has not one token a column.

    Raises
    ------
    InputError
        There are too few rows, or no residual stream.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations._place_readout import place_readability
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import RowTransformer
    >>> x = np.random.default_rng(0).normal(size=(80, 2))
    >>> found = place_readability(Network.of(RowTransformer((0, 1), 1, 8, layers=1, hidden=4)), x)
    >>> [(one.place, one.token, one.r2 > 0.9) for one in found if one.module == "read"]
    [(0, 0, True), (0, 1, False), (1, 0, False), (1, 1, True)]
    """
    streams = stream_values(network, x, stream_modules(network.module()))
    found = []
    for place, column in enumerate(x.T):
        content = _content(column)
        if content is None:
            continue
        for module, stream in streams.items():
            if stream.ndim != 3 or stream.shape[1] != x.shape[1]:
                return ()
            found += [
                PlaceReadout(place, module, token, held_out_r2(stream[:, token], content))
                for token in range(stream.shape[1])
            ]
    return tuple(found)


def tokens_in(x: Float[np.ndarray, "rows columns"]) -> int:
    """How many different tokens the columns hold.

    Parameters
    ----------
    x : array of float, shape (rows, columns)
        Rows.

    Returns
    -------
    int
        The count; 0 where a column holds numbers.

    Examples
    --------
    >>> import numpy as np
    >>> tokens_in(np.array([[0.0, 2.0], [1.0, 2.0]])), tokens_in(np.array([[0.5, 2.0]]))
    (3, 0)
    """
    different = np.unique(x)
    return len(different) if (different == np.floor(different)).all() and len(different) <= MOST_TOKENS else 0


def _content(column: Float[np.ndarray, " rows"]) -> Float64[np.ndarray, "rows codes"] | None:
    different, code = np.unique(column, return_inverse=True)
    if len(different) < 2:
        return None
    return np.eye(len(different))[code] if tokens_in(column[:, None]) else column[:, None].astype(np.float64)
