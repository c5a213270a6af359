"""Sequences that a language model itself goes on with, token by token."""

from collections.abc import Collection

import numpy as np
import torch
from jaxtyping import Float64, Int64

from ._language_model import LanguageModel


def continued(
    model: LanguageModel,
    prompts: Int64[np.ndarray, "rows length"],
    given: Int64[np.ndarray, " rows"],
    *,
    held_back: Collection[int] = (),
    seed: int = 0,
) -> tuple[Int64[np.ndarray, "rows length"], Int64[np.ndarray, "rows length"]]:
    """Let a model go on with sequences, and draw at each place of them what it says next.

    Each token is drawn from the model's own distribution, given all before it. What is drawn is also the next token of
    the sequence, but for the tokens of the prompt, and for those that are held back: there another is drawn.

    Parameters
    ----------
    model : LanguageModel
        The model.
    prompts : ndarray of shape (rows, length)
        Tokens by number, at most as many as the model reads.
    given : ndarray of shape (rows,)
        How many tokens of each prompt are kept, 1 or more; the model gives the others.
    held_back : collection of int
        Tokens with which the model does not go on, for instance an end. Some token must remain.
    seed : int
        Of the draw; always the same sequences.

    Returns
    -------
    sequences : ndarray of shape (rows, length)
        The prompts, gone on with.
    following : ndarray of shape (rows, length)
        What the model says next at each place; tokens that are held back are among them.

    Examples
    --------
    >>> from bimt_train.models import GPT
    >>> model = GPT(tokens=7, context=5, width=12, heads=3, hidden=9, generator=torch.Generator().manual_seed(0))
    >>> prompts = np.array([[3, 1, 2, 2], [3, 4, 0, 0]])
    >>> sequences, following = continued(model, prompts, np.array([4, 2]))
    >>> sequences[0], sequences[1, 2:] == following[1, 1:3]
    (array([3, 1, 2, 2]), array([ True,  True]))
    """
    draw = np.random.default_rng(seed)
    memories = model.remembered()
    sequences, following = prompts.copy(), np.empty_like(prompts)
    barred = np.isin(np.arange(model.tokens), list(held_back))
    length = prompts.shape[1]
    with torch.no_grad():
        for place in range(length):
            logits = model.at_place(torch.tensor(sequences[:, place]), place, memories).double().numpy()
            following[:, place] = said = _drawn(logits, draw)
            if place + 1 < length:
                instead = _drawn(np.where(barred, -np.inf, logits), draw) if barred.any() else said
                goes_on = np.where(barred[said], instead, said)
                sequences[:, place + 1] = np.where(place + 1 < given, prompts[:, place + 1], goes_on)
    return sequences, following


def _drawn(logits: Float64[np.ndarray, "rows tokens"], draw: np.random.Generator) -> Int64[np.ndarray, " rows"]:
    """A token a row, from the softmax of its logits."""
    below = np.exp(logits - logits.max(axis=1, keepdims=True)).cumsum(axis=1)
    drawn = draw.uniform(size=(len(below), 1)) * below[:, -1:]
    return np.asarray((below <= drawn).sum(axis=1).clip(max=logits.shape[1] - 1))
