"""The registry of null models: each draws random matrices that keep something of a network and nothing else."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train.registry import Entry, Registry

Matrices = Float64[np.ndarray, "samples targets sources"]
"""One random matrix a sample, [target, source]."""


@dataclass(frozen=True, kw_only=True)
class NullModel(Entry):
    """A way to draw networks without modular structure, one pair of groups at a time.

    ``function`` takes (matrix, *, schedule, generators): the weights [target, source] of the edges from one group to
    another, at least 0, where 0 is no edge; a generator of random numbers for what all samples may share; and a
    sequence of generators, one a sample. It returns an array [samples, target, source]. Sample k must depend on the
    matrix, on ``schedule`` and on generator k alone, so that it is the same however many are drawn.

    Attributes
    ----------
    name : str
        The word by which it is chosen.
    label : str
        What the null networks keep, for tables, pictures and reports.
    sentence : str
        One sentence that says what is random.
    function : callable
        As above.
    phrase : str
        What follows the word "networks" in a sentence, as in "3 of 200 networks ``phrase`` reach its modularity".

    Examples
    --------
    >>> from bimt_analyze.audits import NULL_MODELS
    >>> NULL_MODELS["degree_preserving"].label
    'degree-preserving within each pair of groups'
    """

    phrase: str


NULL_MODELS: Registry[NullModel] = Registry(
    "null model",
    NullModel,
    builtin={
        "degree_preserving": "bimt_analyze.audits.chance._degree_preserving",
        "weight_permutation": "bimt_analyze.audits.chance._weight_permutation",
    },
    group="bimt.null_models",
)
"""All null models by name; `significance` reads them."""
