"""What every language model here can do besides its forward pass: go on with sequences token by token."""

from abc import abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class Remembered:
    """The keys and values of the tokens before, of one block: a new token attends to all of them.

    Parameters
    ----------
    window : int, optional
        How many tokens are attended to at most, the new one among them.

    Examples
    --------
    >>> memory, one = Remembered(window=2), torch.ones(1, 1, 1, 2)
    >>> for value in (1.0, 2.0, 4.0):
    ...     seen = memory(one, one, value * one, None)
    >>> seen.flatten()
    tensor([3., 3.])
    """

    def __init__(self, window: int | None = None) -> None:
        self.window = window
        self.past: tuple[Tensor, Tensor] | None = None

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, scale: float | None) -> Tensor:
        """Attend to what is remembered and to the new token, which is remembered too.

        Parameters
        ----------
        q, k, v : Tensor of shape (rows, heads, 1, size)
            Query, key and value of the new token.
        scale : float or None
            What scores are multiplied with; 1/sqrt(size) where it is None.

        Returns
        -------
        Tensor of shape (rows, heads, 1, size)
            What the heads give.
        """
        if self.past is not None:
            k, v = (torch.cat([before, now], dim=2) for before, now in zip(self.past, (k, v), strict=True))
        if self.window is not None:
            k, v = k[:, :, -self.window :], v[:, :, -self.window :]
        self.past = k, v
        return scaled_dot_product_attention(q, k, v, scale=scale)


class LanguageModel(nn.Module):
    """A causal model over tokens that says at each of them which one comes next.

    Attributes
    ----------
    tokens : int
        How many different tokens there are.
    context : int
        How many are read at most.
    activation : str
        The activation of its MLPs, a name in `ACTIVATIONS`.
    """

    tokens: int
    context: int
    activation: str

    @abstractmethod
    def remembered(self) -> Sequence[Remembered]:
        """An empty memory for each block."""

    @abstractmethod
    def at_place(
        self, tokens: Int64[Tensor, " rows"], place: int, memories: Sequence[Remembered]
    ) -> Float[Tensor, "rows tokens"]:
        """Compute the logits behind one token of each row, given what is remembered of those before.

        Parameters
        ----------
        tokens : Tensor of shape (rows,)
            The tokens at this place.
        place : int
            The place, counted from 0.
        memories : sequence of Remembered
            One for each block; the new token is added to them.

        Returns
        -------
        Tensor of shape (rows, tokens)
            The logits of the next token.
        """
