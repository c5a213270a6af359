"""What the neurons of a network represent in the terms of its task: one table, for reports."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.extras import need
from bimt_train.registry import Entry, Registry
from bimt_train.showing import Shown, to_cell

if TYPE_CHECKING:
    import pandas as pd

Cell = str | int | float


@dataclass(frozen=True, repr=False)
class Interpretation(Shown):
    """A table about the neurons of a network and the sentence that sums it up.

    Attributes
    ----------
    title : str
        What the table shows.
    statement : str
        What to see in it.
    columns : tuple of str
        Names of the columns.
    rows : tuple of tuple of Cell
        Rows of the table, one cell a column.

    Examples
    --------
    >>> from bimt_analyze.representations._interpretation import Interpretation
    >>> rows = (("h1.0", "cat"), ("h1.1", "dog"))
    >>> table = Interpretation("What each neuron is for", "One neuron a class.", ("neuron", "class"), rows)
    >>> [dict(zip(table.columns, row)) for row in table.rows][0]
    {'neuron': 'h1.0', 'class': 'cat'}
    """

    title: str
    statement: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def _brief(self) -> str:
        return self.statement

    def _repr_html_(self) -> str:
        return to_cell(self.title, lines=[self.statement], columns=self.columns, rows=self.rows)

    def to_frame(self) -> "pd.DataFrame":
        """The table, one row a line.

        Returns
        -------
        pandas.DataFrame
            The columns of ``columns``.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(self.columns))


@dataclass(frozen=True, kw_only=True)
class InterpretationKind(Entry):
    """An entry of `INTERPRETATIONS`: when an interpretation applies, and how it is made.

    Attributes
    ----------
    applies : callable
        Whether a checkpoint and a network (its own or its circuit) can be interpreted in this way.
    function : callable
        Makes the table for the same arguments; None where the data do not suffice.

    Examples
    --------
    >>> from bimt_analyze.representations._interpretation import INTERPRETATIONS
    >>> INTERPRETATIONS["frequencies"].label
    'frequencies of modules'
    """

    applies: Callable[[Checkpoint, Network], bool]
    function: Callable[[Checkpoint, Network], Interpretation | None]


_ROOM = f"{__package__}.interpretations"

INTERPRETATIONS: Registry[InterpretationKind] = Registry(
    "interpretation",
    InterpretationKind,
    builtin={
        "classes": f"{_ROOM}._class_needs",
        "positions": f"{_ROOM}._places",
        "alive": f"{_ROOM}._alive_parts",
        "stream-probes": f"{_ROOM}._stream_probes",
        "irreducible-representations": f"{_ROOM}._neuron_irreps",
        "frequencies": f"{_ROOM}._module_frequencies",
    },
    group="bimt.interpretations",
)
"""Interpretations by name, the general ones first: of those that apply, the last one is taken."""


def interpretation(checkpoint: Checkpoint, network: Network) -> Interpretation | None:
    """Say what the neurons of a network represent in the terms of its task.

    Parameters
    ----------
    checkpoint : Checkpoint
        The checkpoint, with its task and its probe rows.
    network : Network
        The checkpoint's own network, or its circuit.

    Returns
    -------
    Interpretation or None
        The table; None where no interpretation applies, or the probe rows do not suffice.

    Notes
    -----
    Of the entries of `INTERPRETATIONS` that apply and give a table, the last one is taken, so that one's own comes
    before those that are built in. What is built in goes by the rows and the network, never by the task's name. It is:
    the frequency of each module, where targets are the multiplication table of a cyclic group and tokens have an
    embedding; the irreducible representation of each neuron, where they are that of any group (`group_of`); the places
    where a subfunction of the task is linearly readable for a transformer over rows of numbers; what is alive for a
    language model; where the content of each place can be read for any other transformer; and for any other classifier
    the neurons that each class needs.

    Examples
    --------
    >>> from bimt_analyze.representations._interpretation import interpretation
    >>> import numpy as np
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec
    >>> planted = block_network(blocks=[(1, 3, 1)] * 2, seed=1)
    >>> y = np.eye(2)[planted.network.predict(planted.x).argmax(axis=1)]
    >>> task = TaskSpec("own", ("a", "b"), ("u", "v"), ((-3, 3),) * 2, loss="cross-entropy")
    >>> made = Checkpoint(planted.network, task, Probe(planted.x, y, planted.x, y), {"seed": 0})
    >>> interpretation(made, planted.network).title
    'Which neurons each class needs'
    """
    for entry in reversed(INTERPRETATIONS.entries()):
        table = entry.function(checkpoint, network) if entry.applies(checkpoint, network) else None
        if table is not None:
            return table
    return None
