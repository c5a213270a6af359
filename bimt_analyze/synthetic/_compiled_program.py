"""A transformer that computes a program, with the variables of the program as its modules."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train.showing import Shown

from ..graph import NodeId
from ._synthetic_network import SyntheticNetwork


@dataclass(frozen=True, repr=False)
class Variable(Shown):
    """A variable of a program, a subspace of the residual stream.

    Attributes
    ----------
    name : str
        Name of the variable.
    meaning : str
        What its values are.
    positions : tuple of int
        Positions of the stream; position k holds value k, one-hot or as a number.
    writer : (str, int)
        What computes it: ("embedding", 0), ("positions", 0), (group, head) for a head of an attention, and (group, 0)
        for all neurons of an MLP.
    reads : tuple of str
        Names of the variables that the writer reads; for a head those of query, key and value, in this order.

    Examples
    --------
    >>> from bimt_analyze.synthetic import compiled_program
    >>> planted = compiled_program(program="reverse", vocabulary=3, length=3)
    >>> answer = planted.variables[-1]
    >>> answer.name, answer.writer, answer.reads
    ('answer', ('a1', 0), ('opposite', 'position', 'token'))
    """

    name: str
    meaning: str
    positions: tuple[int, ...]
    writer: NodeId
    reads: tuple[str, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Program(SyntheticNetwork):
    """A synthetic transformer whose modules are the variables of a program.

    Attributes
    ----------
    variables : tuple of Variable
        Variables in the order of computation; variable k is module k. All other attributes are those of
        `SyntheticNetwork`.

    Examples
    --------
    >>> from bimt_analyze.synthetic import compiled_program
    >>> planted = compiled_program(program="reverse", vocabulary=3, length=3)
    >>> [variable.name for variable in planted.variables]
    ['token', 'position', 'opposite', 'answer']
    >>> planted.run(np.array([[0.0, 2.0, 1.0]])).tolist()
    [[1, 2, 0]]
    """

    variables: tuple[Variable, ...]

    def run(self, x: Float64[np.ndarray, "rows length"]) -> Int64[np.ndarray, "rows length"]:
        """Run the program: what the network answers at each token.

        Parameters
        ----------
        x : array of float64, shape (rows, length)
            Sequences of tokens.

        Returns
        -------
        array of int64, shape (rows, length)
            The only output rounded, or the number of the largest output.
        """
        y = self.network.predict(x)
        return y[..., 0].round().astype(np.int64) if y.shape[-1] == 1 else y.argmax(-1)
