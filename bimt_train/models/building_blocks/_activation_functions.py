"""The built-in activation functions, which are torch's own without parameters, at torch's default settings."""

from torch import nn

from ._activations import ACTIVATIONS


class GELUTanh(nn.GELU):
    """GELU by the tanh formula, as GPT-2 computes it."""

    def __init__(self) -> None:
        super().__init__(approximate="tanh")


ACTIVATIONS.register("silu", label="SiLU", sentence="x / (1 + exp(-x)), the paper's activation.")(nn.SiLU)
ACTIVATIONS.register("relu", label="ReLU", sentence="max(x, 0).")(nn.ReLU)
ACTIVATIONS.register("gelu", label="GELU", sentence="x times the normal distribution function of x.")(nn.GELU)
ACTIVATIONS.register("tanh", label="tanh", sentence="The hyperbolic tangent of x.")(nn.Tanh)
ACTIVATIONS.register("sigmoid", label="sigmoid", sentence="1 / (1 + exp(-x)).")(nn.Sigmoid)
ACTIVATIONS.register("identity", label="identity", sentence="x itself: a linear network.")(nn.Identity)
ACTIVATIONS.register(
    "gelu_tanh", label="GELU (tanh)", sentence="x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2, which is near GELU."
)(GELUTanh)
ACTIVATIONS.register("leaky_relu", label="leaky ReLU", sentence="max(x, 0) + 0.01 min(x, 0).")(nn.LeakyReLU)
ACTIVATIONS.register("relu6", label="ReLU6", sentence="min(max(x, 0), 6).")(nn.ReLU6)
ACTIVATIONS.register("elu", label="ELU", sentence="x where x > 0, else exp(x) - 1.")(nn.ELU)
ACTIVATIONS.register("celu", label="CELU", sentence="max(x, 0) + min(exp(x) - 1, 0).")(nn.CELU)
ACTIVATIONS.register("selu", label="SELU", sentence="1.0507 x where x > 0, else 1.7581 (exp(x) - 1).")(nn.SELU)
ACTIVATIONS.register("mish", label="Mish", sentence="x tanh(log(1 + exp(x))).")(nn.Mish)
ACTIVATIONS.register("softplus", label="softplus", sentence="log(1 + exp(x)).")(nn.Softplus)
ACTIVATIONS.register("softsign", label="softsign", sentence="x / (1 + |x|).")(nn.Softsign)
ACTIVATIONS.register("logsigmoid", label="log sigmoid", sentence="-log(1 + exp(-x)).")(nn.LogSigmoid)
ACTIVATIONS.register("tanhshrink", label="tanh shrink", sentence="x - tanh(x).")(nn.Tanhshrink)
ACTIVATIONS.register("hardtanh", label="hard tanh", sentence="x, held between -1 and 1.")(nn.Hardtanh)
ACTIVATIONS.register("hardsigmoid", label="hard sigmoid", sentence="x/6 + 1/2, held between 0 and 1.")(nn.Hardsigmoid)
ACTIVATIONS.register("hardswish", label="hard swish", sentence="x times the hard sigmoid of x.")(nn.Hardswish)
