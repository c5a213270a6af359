"""The network of a certificate: its layers and its scaling, as a function of real numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._evaluate import ACTIVATIONS, evaluated, parsed
from ._exact_fields import fields, must, names, numbers
from ._form import Array, Form

_FIELDS = ("outputs", "tokens", "input_shift", "input_scale", "layers", "output_shift", "output_scale")


@dataclass(frozen=True, eq=False)
class Layers:
    """``output_shift + output_scale * f_L(...f_1((x - input_shift) / input_scale))``, ``f(h) = activation(W h + b)``.

    Attributes
    ----------
    outputs : tuple of str
        Names of the outputs.
    tokens : int
        How many tokens an input may be, which the first layer reads as ones among zeros; 0 where inputs are numbers.
    scaling : dict of str to array
        Shifts and scales, by their fields.
    layers : tuple of (array, array, str)
        Weights, biases and the name of the activation.
    """

    outputs: tuple[str, ...]
    tokens: int
    scaling: dict[str, Array]
    layers: tuple[tuple[Array, Array, str], ...]

    @classmethod
    def of(cls, data: Any, inputs: int) -> "Layers":
        """Read it from plain JSON, every shape checked.

        Parameters
        ----------
        data : object
            The certificate's network.
        inputs : int
            How many inputs the claim names.
        """
        said = fields(data, _FIELDS, "network")
        outputs, tokens = names(said["outputs"], "outputs"), said["tokens"]
        must(type(tokens) is int and 0 <= tokens < 1000, "tokens are no small whole number")
        sizes = {"input": inputs, "output": len(outputs)}
        scaling = {
            key: numbers(said[key], sizes[key.split("_")[0]]) for key in _FIELDS if key[-5:] in ("shift", "scale")
        }
        must(all((scaling[f"{end}_scale"] > 0).all() for end in sizes), "a scale that is not above 0")
        must(isinstance(said["layers"], list) and said["layers"], "no layers")
        layers, width = [], inputs * max(tokens, 1)
        for layer in said["layers"]:
            fields(layer, ("weights", "bias", "activation"), "layer")
            must(isinstance(layer["weights"], list) and layer["weights"], "a layer without weights")
            activation = layer["activation"]
            must(isinstance(activation, str) and activation in ACTIVATIONS, f"an unknown activation: {activation!r}")
            weights = np.array([numbers(row, width) for row in layer["weights"]])
            layers.append((weights, numbers(layer["bias"], len(weights)), activation))
            width = len(weights)
        must(width == len(outputs), "a last layer that does not fit the outputs")
        return cls(outputs, tokens, scaling, tuple(layers))

    def __call__(self, x: Form) -> Form:
        """All outputs.

        Parameters
        ----------
        x : Form of shape [boxes, inputs]
            Inputs in the task's units; points, where they are tokens.
        """
        to = self.scaling
        if self.tokens:
            hot = np.eye(self.tokens)[x.lo.astype(np.int64)].reshape(len(x.lo), -1)
            h = Form.variables(hot, hot)
        else:
            scale = evaluated(parsed("1/s"), {"s": x.constant(to["input_scale"])})
            h = (x + x.constant(-to["input_shift"])) * scale
        for weights, bias, activation in self.layers:
            h = evaluated(parsed(ACTIVATIONS[activation]), {"x": h.affine(weights, bias)})
        return h * h.constant(to["output_scale"]) + h.constant(to["output_shift"])
