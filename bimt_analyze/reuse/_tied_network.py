"""A tied plan as a torch module: each shared module is there once, and is called at every place of use."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bimt_train.models.building_blocks.activations import activation_module

from ._dense_part import DensePart
from ._tied_plan import Adapter, TiedPlan


class TiedNetwork(nn.Module):
    """Use k gives ``module(A_k s + a_k)``, with s the inputs and what the uses before it give; outputs are ``B s + b``.

    Parameters
    ----------
    plan : TiedPlan
        The numbers.

    Attributes
    ----------
    shared : torch.nn.ModuleList
        The modules, each once.
    places : torch.nn.ModuleList
        A linear layer for each use: ``A_k`` and ``a_k``.
    out : torch.nn.Linear
        ``B`` and ``b``.
    """

    def __init__(self, plan: TiedPlan) -> None:
        super().__init__()
        self.shared = nn.ModuleList(_layers(part) for part in plan.modules)
        self.places = nn.ModuleList(_adapter(one) for _, one in plan.uses)
        self.out = _adapter(plan.out)
        self._module_of = [module for module, _ in plan.uses]

    def forward(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        """Compute the outputs for a batch of rows.

        Parameters
        ----------
        x : Tensor of shape (*rows, inputs)
            The rows.

        Returns
        -------
        Tensor of shape (*rows, outputs)
            The outputs.
        """
        sources = x
        for module, place in zip(self._module_of, self.places, strict=True):
            read = place(sources[..., : place.in_features])
            sources = torch.cat([sources, self.shared[module](read)], dim=-1)
        outputs: Float[Tensor, "*rows outputs"] = self.out(sources)
        return outputs


def _layers(part: DensePart) -> nn.Sequential:
    found: list[nn.Module] = []
    for weight, bias in part.layers:
        found += [_linear(weight, bias), activation_module(part.activation)]
    return nn.Sequential(*found[:-1])


def _adapter(one: Adapter) -> nn.Linear:
    return _linear(one.weight, one.shift)


def _linear(weight: object, bias: object) -> nn.Linear:
    w, b = (torch.tensor(array, dtype=torch.float64) for array in (weight, bias))
    layer = nn.Linear(w.shape[1], w.shape[0], dtype=torch.float64)
    layer.load_state_dict({"weight": w, "bias": b})
    return layer
