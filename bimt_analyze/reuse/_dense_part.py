"""A piece of a network of layers: what it computes of a few numbers, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from bimt_train.models.building_blocks.activations import activated

Layer = tuple[Float64[np.ndarray, "_ _"], Float64[np.ndarray, " _"]]
Rows = Float64[np.ndarray, "_ _"]


@dataclass(frozen=True, eq=False)
class DensePart:
    """Layers one after the other, an activation between them and none behind the last.

    Attributes
    ----------
    layers : tuple of (weight, bias)
        The layers; a weight has a row for each number that its layer gives.
    activation : str
        A name in `bimt_train.models.ACTIVATIONS`.
    """

    layers: tuple[Layer, ...]
    activation: str

    @property
    def arguments(self) -> int:
        """How many numbers it reads."""
        return int(self.layers[0][0].shape[1])

    @property
    def outputs(self) -> int:
        """How many numbers it gives."""
        return len(self.layers[-1][1])

    def __call__(self, points: Rows) -> Rows:
        """What it gives.

        Parameters
        ----------
        points : array of float64, shape (rows, arguments)
            What it reads.
        """
        for number, (weight, bias) in enumerate(self.layers):
            points = points @ weight.T + bias
            if number + 1 < len(self.layers):
                points = np.asarray(activated(self.activation, points))
        return points

    def of_one(self, argument: int, others: Sequence[float]) -> "DensePart":
        """The function of one argument that is left where the others rest.

        Parameters
        ----------
        argument : int
            The argument that stays.
        others : sequence of float
            Where all arguments rest, this one too.
        """
        weight, bias = self.layers[0]
        resting = np.array(others, dtype=np.float64)
        resting[argument] = 0.0
        read = weight[:, [argument]]
        first = (read, bias + weight @ resting)
        return replace(self, layers=(first, *self.layers[1:])).without_idle()

    def moved(self, by: Float64[np.ndarray, " arguments"]) -> "DensePart":
        """The function of arguments to each of which a number is added first.

        Parameters
        ----------
        by : array of float64, shape (arguments,)
            The numbers.
        """
        weight, bias = self.layers[0]
        return replace(self, layers=((weight, bias + weight @ by), *self.layers[1:]))

    def without_idle(self) -> "DensePart":
        """A function without neurons that read nothing; what they give goes into biases."""
        layers = [(w.copy(), b.copy()) for w, b in self.layers]
        for number in range(len(layers) - 1):
            (weight, bias), (reader, above) = layers[number], layers[number + 1]
            idle = ~np.any(weight != 0, axis=1)
            given = np.asarray(activated(self.activation, bias[idle]))
            layers[number] = weight[~idle], bias[~idle]
            layers[number + 1] = reader[:, ~idle], above + reader[:, idle] @ given
        return replace(self, layers=tuple(layers))

    def of_depth(self, hidden: int, points: Rows) -> "DensePart":
        """A shallower part: the first hidden layers, and the nearest linear reading of them.

        Parameters
        ----------
        hidden : int
            Hidden layers that stay.
        points : array of float64, shape (rows, arguments)
            Where the reading must come near.
        """
        wanted, below = self(points), points
        for weight, bias in self.layers[:hidden]:
            below = np.asarray(activated(self.activation, below @ weight.T + bias))
        design = np.column_stack([below, np.ones(len(below))])
        found = np.linalg.lstsq(design, wanted, rcond=None)[0].T
        return replace(self, layers=(*self.layers[:hidden], (found[:, :-1], found[:, -1])))

    def numbers(self) -> int:
        """How many weights and biases it has that are not 0."""
        return sum(int(np.count_nonzero(array)) for layer in self.layers for array in layer)
