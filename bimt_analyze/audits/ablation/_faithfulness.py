"""How much of what a network does its circuit does too."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ._output_losses import LossMeasure, PerOutput, checked, flat, losses


@dataclass(frozen=True, eq=False, repr=False)
class Faithfulness(Shown):
    """Losses of a network, of its circuit, and of the network without hidden neurons, output by output.

    Attributes
    ----------
    outputs : tuple of str
        Names of the outputs.
    whole : array of float64, shape (losses,)
        Loss of the network at each output.
    circuit : array of float64, shape (losses,)
        Loss of the circuit at each output.
    nothing : array of float64, shape (losses,)
        Loss of the network with all hidden neurons at their means, at each output.
    measure : LossMeasure
        Measure of the loss, as in `mean_ablation_effects`.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.audits.ablation._faithfulness import Faithfulness
    >>> whole, circuit, nothing = np.array([0.0, 0.5]), np.array([0.25, 0.5]), np.array([1.0, 0.5])
    >>> Faithfulness(("y1", "y2"), whole, circuit, nothing, "error").shares
    (0.75, None)
    """

    outputs: tuple[str, ...]
    whole: PerOutput
    circuit: PerOutput
    nothing: PerOutput
    measure: LossMeasure

    @property
    def shares(self) -> tuple[float | None, ...]:
        """Share of the network's gain over its means that the circuit keeps, output by output.

        (nothing - circuit) / (nothing - whole): 1 does as well as the network, 0 no better than its means; above 1,
        better than the network. None where the network does no better than its means.
        """
        earned, kept = self.nothing - self.whole, self.nothing - self.circuit
        return tuple(float(k / e) if e > 0 else None for k, e in zip(kept, earned, strict=True))

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        arrays = {name: getattr(self, name).tolist() for name in ("whole", "circuit", "nothing")}
        return {"outputs": list(self.outputs), **arrays, "measure": self.measure, "shares": list(self.shares)}


def faithfulness(
    network: Network,
    circuit: Network,
    x: Float[np.ndarray, "rows ..."],
    y: Float[np.ndarray, "rows ..."],
    *,
    measure: LossMeasure = "error",
) -> Faithfulness:
    """Compare the loss of a circuit with that of the whole network, and of the network held at its means.

    Parameters
    ----------
    network : Network
        The whole network.
    circuit : Network
        The network that pruning left, as `prune` makes it.
    x : array of float, shape (rows, ...)
        Input rows as the network sees them. Take rows that pruning did not see.
    y : array of float, shape (rows, ...)
        Targets in the units of the network's outputs; classes are one-hot.
    measure : LossMeasure, default 'error'
        Measure of the loss, as in `mean_ablation_effects`.

    Returns
    -------
    Faithfulness
        The three losses at each output, and the share that the circuit keeps.

    Raises
    ------
    InputError
        The measure is unknown, the targets do not fit either network, a class has no rows, or hidden neurons cannot be
        set.

    Notes
    -----
    The normalised form of Marks et al. [1]_: (m(C) - m(0)) / (m(M) - m(0)), with the loss at each output for m. Here C
    is a network of its own, as `prune` makes it (its weights may have been refitted), where there it is the network
    with the rest at its means.

    It does not show that the circuit computes in the same way as the network, nor that every part of it is needed: the
    network is its own most faithful circuit.

    References
    ----------
    .. [1] Marks et al. 2024, "Sparse Feature Circuits", arXiv:2403.19647.

    Examples
    --------
    >>> from bimt_analyze.audits.ablation._faithfulness import faithfulness
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(seed=1)
    >>> y = planted.network.predict(planted.x)
    >>> faithfulness(planted.network, planted.network, planted.x, y).shares
    (1.0, 1.0, 1.0)
    """
    from ...graph import MeanAblation

    ablation = MeanAblation(network, x)
    outputs, of_circuit = ablation.outputs(), circuit.predict(x)
    names = checked(network, y, outputs, measure)
    checked(circuit, y, of_circuit, measure)
    nothing = ablation.outputs(ablation.neurons)
    whole, left, none = (losses(flat(said), flat(y), measure) for said in (outputs, of_circuit, nothing))
    return Faithfulness(names, whole, left, none, measure)
