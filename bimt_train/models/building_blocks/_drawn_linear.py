"""A linear layer whose first weights come from one generator."""

import math

import torch
from torch import nn


def drawn_linear(inputs: int, outputs: int, generator: torch.Generator | None, *, bias: bool = True) -> nn.Linear:
    """Make a linear layer drawn from the generator alone; torch's own constructor would consume the global one.

    Parameters
    ----------
    inputs : int
        Numbers read.
    outputs : int
        Numbers written.
    generator : torch.Generator, optional
        Draws weight, then bias; torch's global one where it is None.
    bias : bool
        Whether there is a bias.

    Returns
    -------
    torch.nn.Linear
        The layer, with torch's own bounds, U(-1/sqrt(inputs), 1/sqrt(inputs)).

    Examples
    --------
    >>> one, two = (drawn_linear(3, 2, torch.Generator().manual_seed(5)) for _ in range(2))
    >>> torch.equal(one.weight, two.weight)
    True
    """
    layer, bound = nn.Linear(inputs, outputs, bias, device="meta"), 1 / math.sqrt(inputs)
    for name, tensor in list(layer.named_parameters()):  # Module.to_empty would import half a second of torch
        drawn = torch.empty(tensor.shape).uniform_(-bound, bound, generator=generator)
        setattr(layer, name, nn.Parameter(drawn))
    return layer
