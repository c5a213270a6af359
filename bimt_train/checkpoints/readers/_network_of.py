"""A chain of layers as a network, and as a checkpoint with what was assumed of it."""

from collections.abc import Sequence

import numpy as np

from ..._errors import CheckpointError
from ...layouts._placement import Placement
from ...models._model_spec import ModelSpec
from ...models.building_blocks._layers import chain_layout, check_widths
from ...models.building_blocks.activations import ACTIVATIONS, activation_name
from .._checkpoint import Checkpoint
from .._network import Network
from ._about import About, checkpoint_of
from ._judging import AUTO
from ._values import Chain, Linear

_ENDS = {"log_softmax": "softmax", "identity": "none"}  # the option ``final`` for an end of another name


def network_of(layers: Sequence[Linear], activation: str) -> Network:
    """A chain as a network of the kind ``mlp``.

    Parameters
    ----------
    layers : sequence of Linear
        First to last.
    activation : str
        A name in `ACTIVATIONS`.

    Returns
    -------
    Network
        With neuron i of a layer in slot i.

    Raises
    ------
    InputError
        The activation is unknown.
    """
    widths = [layers[0].weight.shape[1], *(layer.weight.shape[0] for layer in layers)]
    check_widths(widths)
    ACTIVATIONS[activation]  # refuses a name that is not known
    spec = ModelSpec("mlp", {"widths": widths, "activation": activation})
    layout = chain_layout(widths, (), (), movable_ends=True)
    tensors: dict[str, np.ndarray] = {}
    for index, layer in enumerate(layers):
        tensors |= {f"layers.{index}.weight": layer.weight, f"layers.{index}.bias": layer.bias}
    return Network(spec, layout, Placement.identity(layout), tensors)


def checkpoint_of_chain(chain: Chain, adapter: str, activation: str | None, about: About) -> Checkpoint:
    """A chain as a checkpoint, whose config says what was assumed.

    Parameters
    ----------
    chain : Chain
        Layers, and what the file says of activations.
    adapter : str
        What read it.
    activation : str or None
        What the user said; needed where the file does not say it.
    about : About
        What the file does not say.

    Returns
    -------
    Checkpoint
        With ``{"adapter": ..., "assumed": [...]}`` as its config.

    Raises
    ------
    CheckpointError
        No activation is known, or the file says another one.
    """
    told = None if activation is None else activation_name(activation)
    said = None if chain.activation is None else activation_name(chain.activation)
    final = activation_name(chain.final)
    assumed = list(chain.assumed)
    if said is not None and said not in ACTIVATIONS:
        raise CheckpointError("an activation that is not known", expected=", ".join(ACTIVATIONS), got=said)
    if said is not None and told is not None and said != told and len(chain.layers) > 1:
        hint = "leave out the activation"
        raise CheckpointError("another activation than the file says", expected=said, got=told, hint=hint)
    found = said if said is not None else told
    if found is None:
        raise CheckpointError(
            "the file does not say the activation",
            expected="its name",
            hint='give activation="silu" for instance, on the command line --activation silu',
        )
    if about.get("final", AUTO) == AUTO and (final != "identity" or said is not None):  # a file that says all
        about = {**about, "final": _ENDS.get(final, final)}
    if final != "identity":
        assumed.append(f"the file ends in {final}")
    elif said is None:
        assumed.append(f"{found} stands between the layers: activation was given")
    return checkpoint_of(network_of(chain.layers, found), adapter, about, assumed)
