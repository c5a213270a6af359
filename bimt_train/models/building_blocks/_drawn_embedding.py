"""Tables of embeddings whose first values come from one generator."""

import torch
from torch import nn


def drawn_embedding(
    rows: int, width: int, generator: torch.Generator | None = None, *, deviation: float = 1.0
) -> nn.Embedding:
    """Make a table drawn from the generator alone; torch's own constructor would consume the global one.

    Parameters
    ----------
    rows : int
        Tokens, or places.
    width : int
        Entries of each.
    generator : torch.Generator, optional
        Draws the entries; torch's global one where it is None.
    deviation : float
        Standard deviation of the entries, whose mean is 0.

    Returns
    -------
    torch.nn.Embedding
        The table.

    Examples
    --------
    >>> one, two = (drawn_embedding(3, 2, torch.Generator().manual_seed(5)) for _ in range(2))
    >>> torch.equal(one.weight, two.weight)
    True
    """
    # of an empty tensor: even on the meta device the constructor draws, and loads torch's compiler for it
    table = nn.Embedding(rows, width, _weight=torch.empty(rows, width))
    with torch.no_grad():
        table.weight.normal_(0.0, deviation, generator=generator)
    return table
