"""The registry of statistics: each says how modular a network looks, without any truth."""

from dataclasses import dataclass

from bimt_train.registry import Entry, Registry


@dataclass(frozen=True, kw_only=True)
class Statistic(Entry):
    """A number of a network that is greater the more modular it looks.

    ``function`` takes (blocks, matrices, seeds): the groups of the network (`Blocks`); for each pair of groups in
    ``blocks.matrices`` the weights [samples, target, source] of many networks; and one seed a sample for whatever is
    random. It returns an array [samples]. ``blocks.assembled(matrices)`` makes whole adjacency matrices of them.

    Attributes
    ----------
    name : str
        The word by which it is chosen.
    label : str
        What it is called in tables, pictures and sentences.
    sentence : str
        One sentence that says what it measures.
    function : callable
        As above.
    searched : bool
        Whether each network is searched, which takes long: left out where a network has very many edges.

    Examples
    --------
    >>> from bimt_analyze.audits.chance._statistics import STATISTICS
    >>> STATISTICS["specialisation"].label, STATISTICS["specialisation"].searched
    ('specialisation', False)
    """

    searched: bool = False


STATISTICS: Registry[Statistic] = Registry(
    "statistic",
    Statistic,
    builtin={
        "specialisation": "bimt_analyze.audits.chance._specialisation",
        "modularity": "bimt_analyze.audits.chance._best_modularity",
    },
    group="bimt.statistics",
)
"""All statistics by name; `significance` reads them."""
