"""How much of what a network does its circuit does too."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network

from ._output_losses import Measure, PerOutput, checked, flat, losses


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """Losses of a network, of its circuit, and of nothing, output by output.

    Attributes:
        outputs: their names.
        whole: loss of the network.
        circuit: loss of the circuit.
        nothing: loss of the network with all hidden neurons at their means.
        measure: of the loss; see `damage`.
    """

    outputs: tuple[str, ...]
    whole: PerOutput
    circuit: PerOutput
    nothing: PerOutput
    measure: Measure

    @property
    def shares(self) -> tuple[float | None, ...]:
        """(nothing - circuit) / (nothing - whole): 1 does as well as the network, 0 no better than its means; above 1,
        better than the network. None where the network does no better than its means."""
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
    measure: Measure = "error",
) -> Faithfulness:
    """The loss of a circuit against that of the whole network, and of the network with nothing left but its means.

    The normalised form of Marks et al. 2024 (arXiv 2403.19647): (m(C) - m(0)) / (m(M) - m(0)), with the loss
    at each output for m. Here C is a network of its own, as `prune` makes it (its weights may have been refitted),
    where there it is the network with the rest at its means.

    It does not show that the circuit computes in the same way as the network, nor that every part of it is needed:
    the network is its own most faithful circuit. Judge on rows that pruning did not see.

    Raises:
        InputError: an unknown measure, targets that do not fit either network, a class without rows, or hidden neurons
            that cannot be set.
    """
    from ...graph import MeanAblation

    ablation = MeanAblation(network, x)
    outputs, part = ablation.outputs(), circuit.predict(x)
    names = checked(network, y, outputs, measure)
    checked(circuit, y, part, measure)
    nothing = ablation.outputs(ablation.neurons)
    whole, left, none = (losses(flat(said), flat(y), measure) for said in (outputs, part, nothing))
    return Faithfulness(names, whole, left, none, measure)
