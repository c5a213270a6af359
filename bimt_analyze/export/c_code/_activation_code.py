"""Activations as C: one expression of ``x`` each, which compilers turn into instructions for many numbers at once."""

from collections.abc import Mapping
from types import MappingProxyType

from bimt_train import InputError

_EXPONENTIAL = """
/* exp(x) = 2^n 2^f to a few units in the last place (a few more where |x| is above 10), without a branch or a call, so
   that a loop over it becomes vector code. The sum rounds to a whole n, whose last bits are those of the sum. */
static inline float exponential(float x)
{
    union { uint32_t bits; float value; } sum, power;
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    sum.value = x * 1.44269504f + 12582912.0f;
    const float f = x * 1.44269504f - (sum.value - 12582912.0f);
    float p = 1.3264727e-3f;
    p = p * f + 9.6715130e-3f;
    p = p * f + 5.5507336e-2f;
    p = p * f + 2.4022242e-1f;
    p = p * f + 6.9314700e-1f;
    p = p * f + 1.0f;
    power.bits = (sum.bits << 23) + (127u << 23);
    return p * power.value;
}
"""

# Each is an expression of x; the words in it name what it needs.
_FORMULAS: Mapping[str, str] = MappingProxyType(
    {
        "identity": "x",
        "relu": "x > 0.0f ? x : 0.0f",
        "leaky_relu": "x > 0.0f ? x : 0.01f * x",
        "relu6": "x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x",
        "silu": "x / (1.0f + exponential(-x))",
        "sigmoid": "1.0f / (1.0f + exponential(-x))",
        "tanh": "1.0f - 2.0f / (exponential(2.0f * x) + 1.0f)",
        "tanhshrink": "x - 1.0f + 2.0f / (exponential(2.0f * x) + 1.0f)",
        "gelu": "0.5f * x * (1.0f + erff(x * 0.70710678f))",
        "gelu_tanh": "x / (1.0f + exponential(-1.5957691f * (x + 0.044715f * x * x * x)))",
        "elu": "x > 0.0f ? x : exponential(x) - 1.0f",
        "celu": "x > 0.0f ? x : exponential(x) - 1.0f",
        "selu": "x > 0.0f ? 1.05070099f * x : 1.75809934f * (exponential(x) - 1.0f)",
        "softplus": "x > 20.0f ? x : log1pf(expf(x))",
        "mish": "x * tanhf(x > 20.0f ? x : log1pf(expf(x)))",
        "logsigmoid": "(x < 0.0f ? x : 0.0f) - log1pf(expf(x < 0.0f ? x : -x))",
        "softsign": "x / (1.0f + fabsf(x))",
        "hardtanh": "x < -1.0f ? -1.0f : x > 1.0f ? 1.0f : x",
        "hardsigmoid": "x < -3.0f ? 0.0f : x > 3.0f ? 1.0f : x / 6.0f + 0.5f",
        "hardswish": "x < -3.0f ? 0.0f : x > 3.0f ? x : x * (x / 6.0f + 0.5f)",
    }
)


def activation_in_c(name: str) -> tuple[str, dict[str, str]]:
    """The C function that applies an activation to n numbers in place.

    Parameters
    ----------
    name : str
        A name in `bimt_train.models.ACTIVATIONS`.

    Returns
    -------
    function : str
        What it is called: ``void function(float *h, size_t n)``; empty for the identity.
    helpers : dict of str to str
        The sources that it needs, by name, in order.

    Raises
    ------
    InputError
        An activation of the user's own, of which no C is known.
    """
    if name == "identity":
        return "", {}
    if name not in _FORMULAS:
        raise InputError(
            "an activation without C", expected=", ".join(_FORMULAS), got=name,
            hint="export .pt2 or .onnx, which take any",
        )  # fmt: skip
    formula = _FORMULAS[name]
    source = f"""
static void apply_{name}(float *h, size_t n)
{{
    for (size_t i = 0; i < n; i++) {{
        const float x = h[i];
        h[i] = {formula};
    }}
}}
"""
    helpers = {"exponential": _EXPONENTIAL} if "exponential" in formula else {}
    return f"apply_{name}", helpers | {name: source}
