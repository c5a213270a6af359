"""Layers one after the other as a value: all that the simplest networks compute."""

from dataclasses import dataclass

from ..showing import Shown


@dataclass(frozen=True, kw_only=True, repr=False)
class DenseLayers(Shown):
    """What a network computes that is made of layers one after the other, and of nothing else.

    ``h_l = activation(W_l h_(l-1) + b_l)``, with ``final`` in the place of the activation after the last layer. The
    tensors are called ``layers.N.weight`` and ``layers.N.bias``. Over tokens, h_0 is the tokens' vectors side by side,
    from the table ``embedding.weight``.

    Attributes
    ----------
    widths : tuple of int
        Numbers that each layer reads, and those that the last one gives.
    activation : str
        A name in `ACTIVATIONS`.
    final : str
        A name in `ACTIVATIONS`: what follows the last layer.
    tokens : int
        How many different tokens there are; 0 where the network reads numbers.
    copies : int
        How many tokens are read at once; 0 where the network reads numbers.

    Examples
    --------
    >>> DenseLayers(widths=(4, 20, 2), activation="silu").final
    'identity'
    """

    widths: tuple[int, ...]
    activation: str
    final: str = "identity"
    tokens: int = 0
    copies: int = 0
