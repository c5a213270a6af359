"""The built-in activation functions, which are torch's own."""

from torch import nn

from ._activations import ACTIVATIONS

ACTIVATIONS.register("silu", label="SiLU", sentence="x / (1 + exp(-x)), the paper's activation.")(nn.SiLU)
ACTIVATIONS.register("relu", label="ReLU", sentence="max(x, 0).")(nn.ReLU)
ACTIVATIONS.register("gelu", label="GELU", sentence="x times the normal distribution function of x.")(nn.GELU)
ACTIVATIONS.register("tanh", label="tanh", sentence="The hyperbolic tangent of x.")(nn.Tanh)
ACTIVATIONS.register("sigmoid", label="sigmoid", sentence="1 / (1 + exp(-x)).")(nn.Sigmoid)
ACTIVATIONS.register("identity", label="identity", sentence="x itself: a linear network.")(nn.Identity)
