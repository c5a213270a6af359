"""Cyclic groups: the frequency of each module, and its features as cosines and sines of a + b."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ..graph import NodeId
from ._hidden_activations import activations, last_hidden
from ._token_numbers import TokenNumbers, plain_numbers

HARMONICS = 3  # multiples of a frequency that belong to it: the third comes of an activation that bends
SINGLE = 0.95  # share of the power from which a module represents one frequency
ROUNDED = 3  # digits of a feature's coefficients


@dataclass(frozen=True, repr=False)
class Feature(Shown):
    """A neuron of the last hidden layer as a function of the residue of a + b.

    Attributes
    ----------
    neuron : int
        Number of the neuron in the last hidden layer.
    expression : sympy.Expr
        c + A cos(2 pi k (a + b) / p) + B sin(2 pi k (a + b) / p), coefficients to three digits; a and b are the tokens'
        numbers, and their sum is that of `TokenNumbers`.
    r2 : float
        r2 of this expression, over all pairs.
    r2_harmonics : float
        r2 of the expression with the second and third multiple of k too.

    Examples
    --------
    >>> from bimt_analyze.representations._frequencies import Feature
    >>> import sympy
    >>> wave = sympy.cos(4 * sympy.pi * sympy.Symbol("s") / 7)
    >>> Feature(neuron=3, expression=1.5 * wave, r2=0.9, r2_harmonics=0.99).expression
    1.5*cos(4*pi*s/7)
    """

    neuron: int
    expression: sympy.Expr
    r2: float
    r2_harmonics: float


@dataclass(frozen=True, eq=False, repr=False)
class FrequencyModule(Shown):
    """The frequencies in the embedding that one module reads, and its features.

    Attributes
    ----------
    neurons : frozenset of (str, int)
        Neurons of the module, in all layers.
    dimensions : tuple of int
        Numbers of the dimensions of the embedding that it reads.
    frequency : int
        k, 1 to p / 2; 0 where it reads no dimension.
    share : float
        Share of the dimensions' power over tokens in k and its second and third multiple, modulo p.
    power : dict of int to float
        Multiple of k -> its own share of the power.
    spectrum : array of float64, shape (frequencies,)
        Share of every frequency, 0 to p / 2.
    curve : array of float64, shape (tokens, 2)
        The tokens' embeddings over the dimensions' first two principal axes, in units of the greatest radius; tokens in
        the order of their numbers.
    features : tuple of Feature
        The module's neurons in the last hidden layer.

    Examples
    --------
    >>> from bimt_analyze.representations import FrequencyModule
    >>> import numpy as np
    >>> neurons, spectrum = frozenset({("embedding", 0)}), np.array([0.0, 0.0, 0.97, 0.03])
    >>> FrequencyModule(neurons, (0,), 2, 0.97, {2: 0.97}, spectrum, np.zeros((7, 2)), ()).single
    True
    """

    neurons: frozenset[NodeId]
    dimensions: tuple[int, ...]
    frequency: int
    share: float
    power: dict[int, float]
    spectrum: Float64[np.ndarray, " frequencies"]
    curve: Float64[np.ndarray, "tokens 2"]
    features: tuple[Feature, ...]

    @property
    def single(self) -> bool:
        """Whether 95 % of the power lies in one frequency and its multiples."""
        return self.share >= SINGLE


def frequency_modules(
    network: Network, modules: Sequence[frozenset[NodeId]], *, numbers: TokenNumbers | None = None
) -> tuple[FrequencyModule, ...]:
    """Find the frequency of each module of a network that reads two numbers below p through one embedding.

    Parameters
    ----------
    network : Network
        The network, pruned or not; its only embedding has one row a number.
    modules : sequence of frozenset of (str, int)
        Modules as `module_partition` gives them.
    numbers : TokenNumbers, optional
        The number of each token, as `token_numbers` finds them; left out, token t is the number t of p.

    Returns
    -------
    tuple of FrequencyModule
        One frequency module a module.

    Raises
    ------
    InputError
        The network has no embedding, or several, or too few rows in it for the tokens.

    Notes
    -----
    With e[t] the embedding of the number t and P(f) = sum over the module's dimensions of |sum_t e[t] exp(-2 pi i f
    t/p)|^2, f = 1 ... p/2 (f and -f are the same for real e, so P(p/2) counts half), the frequency is the k of greatest
    P(k), and the module's share is that of P(k) + P(2k) + P(3k), frequencies modulo p and up to sign. (For small p many
    frequencies are multiples of others; ``power`` tells them apart.)

    Examples
    --------
    >>> from bimt_analyze.representations import frequency_modules
    >>> import numpy as np
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import EmbeddingMLP
    >>> turn = 2 * np.pi * 2 * np.arange(7) / 7
    >>> waves = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    >>> network = Network.of(EmbeddingMLP(7, 2, 2, (4, 7))).with_tensors({"embedding.weight": waves})
    >>> neurons = frozenset((group.name, i) for group in network.layout.groups for i in range(group.size))
    >>> (found,) = frequency_modules(network, [neurons])
    >>> found.frequency, found.single
    (2, True)
    """
    numbers = plain_numbers(len(_embedding(network))) if numbers is None else numbers
    table = _embedding(network, numbers)
    (group,) = [
        s.plan.groups[0] for s in network.layout.tensors.values() if s.role == "embedding"
    ]  # the neurons that its rows run over
    p = len(table)
    layer, hidden = last_hidden(network), activations(network, numbers.rows)
    found = []
    for module in modules:
        dimensions = tuple(sorted(i for name, i in module if name == group))
        spectrum = _spectrum(table[:, dimensions])
        frequency = int(np.argmax(spectrum))
        power = {f: float(spectrum[f]) for f in multiples(frequency, p) if f}
        features = tuple(
            _feature(number, hidden[:, number], frequency, numbers)
            for number in sorted(i for name, i in module if name == layer)
            if frequency
        )
        share, curve = float(sum(power.values())), _curve(table[:, dimensions])
        found.append(FrequencyModule(module, dimensions, frequency, share, power, spectrum, curve, features))
    return tuple(found)


def multiples(frequency: int, p: int) -> tuple[int, ...]:
    """k, 2k and 3k modulo p, up to sign, each once.

    Parameters
    ----------
    frequency : int
        k.
    p : int
        Modulus.

    Returns
    -------
    tuple of int
        At most three frequencies.

    Examples
    --------
    >>> multiples(7, 59)
    (7, 14, 21)
    >>> multiples(19, 59)
    (19, 21, 2)
    """
    return tuple(dict.fromkeys(min(h * frequency % p, -h * frequency % p) for h in range(1, HARMONICS + 1)))


def _embedding(network: Network, numbers: TokenNumbers | None = None) -> Float64[np.ndarray, "tokens width"]:
    names = [name for name, spec in network.layout.tensors.items() if spec.role == "embedding"]
    if len(names) != 1:
        expected, got = "one table of vectors, one a token", ", ".join(names) or "none"
        raise InputError("no network over one embedding", where="layout", expected=expected, got=got)
    table = network.tensors[names[0]].astype(np.float64)
    if numbers is None:
        return table
    if numbers.tokens.min() < 0 or numbers.tokens.max() >= len(table):
        got = f"{numbers.tokens.min()} to {numbers.tokens.max()}"
        raise InputError("tokens without an embedding", expected=f"0 to {len(table) - 1}", got=got)
    return np.asarray(table[numbers.tokens])


def _spectrum(columns: Float64[np.ndarray, "tokens width"]) -> Float64[np.ndarray, " frequencies"]:
    power = (np.abs(np.fft.rfft(columns - columns.mean(axis=0), axis=0)) ** 2).sum(axis=1)
    power[0] = 0.0
    if len(columns) % 2 == 0:
        power[-1] /= 2  # every other frequency stands for its negative too
    return np.asarray(power / (power.sum() or 1.0))


def _curve(columns: Float64[np.ndarray, "tokens width"]) -> Float64[np.ndarray, "tokens 2"]:
    left, scale, _ = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
    curve = np.zeros((len(columns), 2))
    axes = min(2, left.shape[1])
    curve[:, :axes] = (left * scale)[:, :axes]
    return curve / (np.hypot(*curve.T).max() or 1.0)


def _feature(neuron: int, values: Float64[np.ndarray, " pairs"], frequency: int, numbers: TokenNumbers) -> Feature:
    p, total = len(numbers.tokens), numbers.totals

    def fitted(harmonics: int) -> tuple[Float64[np.ndarray, " terms"], float]:
        angles = [2 * np.pi * h * frequency / p * total for h in range(1, harmonics + 1)]
        columns = np.column_stack([np.ones(len(total)), *(f(a) for a in angles for f in (np.cos, np.sin))])
        coefficients = np.linalg.lstsq(columns, values, rcond=None)[0]
        spread = float(np.var(values))
        left = float(np.mean((values - columns @ coefficients) ** 2))
        return coefficients, 1.0 - left / spread if spread > 0 else 0.0

    (c, cosine, sine), r2 = fitted(1)
    a, b = sympy.symbols("a b", real=True)
    angle = 2 * sympy.pi * frequency * (a + numbers.sign * b + numbers.shift) / p
    rounded = [sympy.Float(f"{number:.{ROUNDED}g}", ROUNDED) for number in (c, cosine, sine)]
    expression = rounded[0] + rounded[1] * sympy.cos(angle) + rounded[2] * sympy.sin(angle)
    return Feature(neuron, expression, r2, fitted(HARMONICS)[1])
