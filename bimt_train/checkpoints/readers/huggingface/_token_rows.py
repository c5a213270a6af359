"""Rows of tokens to ask a language model about: from a table, or drawn from the model itself."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float64

from ...._errors import CheckpointError
from ....models.building_blocks._continued import continued
from ....models.building_blocks._language_model import LanguageModel

LENGTH, SEQUENCES, FEWEST = 32, 320, 10  # tokens of a row; rows; rows of a model with many tokens
MOST_LOGITS = 20_000_000
"""Sequences are fewer where all their logits would be more numbers than this."""


class TokenRows(NamedTuple):
    """Sequences with the tokens that follow.

    Attributes
    ----------
    x : array of float, shape (rows, places)
        Tokens by number.
    y : array of float, shape (rows, places)
        At each place the token that follows.
    said : str
        A sentence on where they are from.
    own : bool
        Whether the model drew them itself.
    """

    x: Float64[np.ndarray, "rows places"]
    y: Float64[np.ndarray, "rows places"]
    said: str
    own: bool


def rows_of_table(
    x: Float[np.ndarray, "..."], y: Float[np.ndarray, "..."] | None, *, tokens: int, context: int
) -> TokenRows:
    """Rows of a table whose columns are the places of a sequence.

    Parameters
    ----------
    x : array of float, shape (rows, columns)
        Tokens by number.
    y : array of float, shape (rows, columns), optional
        At each place the token that follows; left out, the last column only follows.
    tokens : int
        How many tokens there are.
    context : int
        How many the model reads at most.

    Returns
    -------
    TokenRows
        The rows.

    Raises
    ------
    CheckpointError
        No tokens, too few rows, or too many columns.

    Examples
    --------
    >>> rows = rows_of_table(np.tile(np.arange(3.0), (5, 1)), None, tokens=3, context=8)
    >>> rows.x[0], rows.y[0]
    (array([0., 1.]), array([1., 2.]))
    """
    table = np.asarray(x, dtype=np.float64)
    most = context + (y is None)
    if (
        table.ndim != 2
        or len(table) < 5
        or not 1 + (y is None) <= table.shape[1] <= most
        or not np.isin(table, np.arange(tokens)).all()
    ):
        raise CheckpointError(
            "rows that are no tokens", where="x", expected=f"tokens from 0 to {tokens - 1} in every column, "
            f"{1 + (y is None)} to {most} columns, five rows or more", got=str(list(table.shape)),
            hint="give a table whose columns are the places of a sequence, and no --target: the next token is it",
        )  # fmt: skip
    if y is None:
        said = "targets: at each place the token in the next column of the table"
        return TokenRows(table[:, :-1], table[:, 1:], said, own=False)
    targets = np.asarray(y, dtype=np.float64)
    if targets.shape != table.shape or not np.isin(targets, np.arange(tokens)).all():
        raise CheckpointError(
            "targets that are no tokens", where="y", expected=f"{list(table.shape)}, tokens from 0 to {tokens - 1}",
            got=str(list(targets.shape)), hint="leave them out: at each place the next token is the target",
        )  # fmt: skip
    return TokenRows(table, targets, "targets: as given, one token at each place", own=False)


def rows_of_model(model: LanguageModel, *, begin: Sequence[int], special: Collection[int]) -> TokenRows:
    """Sequences that the model goes on with itself, and what it says at each place of them.

    A sequence begins with the token that begins all, then come none, one or more tokens at random, and then what the
    model draws from its own distribution. So models are reached that continue from nothing, and those that have learned
    to answer a question alone. Tokens that begin, end or fill up a sequence are held back within it, as nothing
    behind them is what the model was trained to say; as targets they stay.

    Parameters
    ----------
    model : LanguageModel
        The model.
    begin : sequence of int
        The token that a sequence begins with; one drawn at random where it is empty.
    special : collection of int
        Tokens that are held back.

    Returns
    -------
    TokenRows
        The rows, always the same.

    Examples
    --------
    >>> import torch
    >>> from bimt_train.models import GPT
    >>> model = GPT(tokens=7, context=5, width=12, heads=3, hidden=9, generator=torch.Generator().manual_seed(0))
    >>> rows = rows_of_model(model, begin=[6], special=[6])
    >>> rows.x.shape, set(rows.x[:, 0].tolist()), 6 in rows.x[:, 1:], 6 in rows.y
    ((320, 5), {6.0}, False, True)
    """
    tokens, context = model.tokens, model.context
    length = min(context, LENGTH)
    count = int(np.clip(MOST_LOGITS // (length * tokens), FEWEST, SEQUENCES))
    draw = np.random.default_rng(0)
    plain = np.setdiff1d(np.arange(tokens), list(special))
    plain = plain if len(plain) else np.arange(tokens)
    prompts = draw.choice(plain, (count, length))
    given = draw.integers(1, length + 1, count)
    if begin:
        prompts[:, 0] = begin[0]
    barred = [token for token in special if token not in plain]
    x, y = continued(model, prompts, given, held_back=barred)
    start = f"token {begin[0]} (bos_token_id), then " if begin else ""
    held = f"; tokens {', '.join(map(str, sorted(barred)))} are held back within them" if barred else ""
    said = (
        f"rows: none were given, so {count} sequences of {length} tokens stand for them: {start}tokens drawn at "
        f"random, up to a place drawn at random, then what the model itself draws{held}"
    )
    return TokenRows(x.astype(np.float64), y.astype(np.float64), said, own=True)
