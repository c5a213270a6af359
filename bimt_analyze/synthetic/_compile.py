"""Programs written down as transformers."""

from itertools import product

import numpy as np
import torch
from jaxtyping import Float64, Int64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import ProgramTransformer

from ..graph import NodeId
from ._compiled_program import Program, Variable
from ._draws import at_least, factors, streams
from ._program_language import PROGRAMS, Neurons, Source
from ._program_weights import Part, Places, written_heads, written_neurons

_ROWS = 1024


def compiled_program(
    *, program: str = "histogram", vocabulary: int = 4, length: int = 5, scale: float = 10.0, seed: int = 0
) -> Program:
    """Compile a program over sequences into a transformer; the modules are the program's variables.

    Parameters
    ----------
    program : str, default 'histogram'
        Name of the program: "histogram", "reverse" or "sort_by_frequency".
    vocabulary : int, default 4
        Number of tokens, from 0; at least 2.
    length : int, default 5
        Length of the sequences, at least 2; the network is for this length alone.
    scale : float, default 10.0
        Greatest factor by which neurons and positions are rescaled; 1 leaves the weights as they are written.
    seed : int, default 0
        Seed of all that is random.

    Returns
    -------
    Program
        The transformer, with the program's variables as its planted modules.

    Raises
    ------
    InputError
        The program is unknown, there are no tokens, sequences are shorter than 2, or the scale is impossible.

    Notes
    -----
    The programs are those of RASP [1]_, compiled in the way of Tracr [2]_: a variable is positions of the residual
    stream of its own, one-hot or a number; a head selects tokens by two variables and takes the mean of a third over
    them; the neurons of an MLP compute a variable from others at the same token.

    - ``histogram``: at each token, how often it occurs in the sequence. One output, that number.
    - ``reverse``: the sequence backwards. One output a token of the vocabulary, 1 for the right one and 0 for others.
    - ``sort_by_frequency``: the tokens of the sequence, all of them, those that occur most often first; tokens that
      occur equally often stay in the order of the sequence. Outputs as for reverse.

    Answers are exact up to rounding: outputs are off by less than 1e-12. A selected token scores 40 above any other, so
    that softmax leaves exp(-40) to those. Where Tracr counts a selection by the attention to an extra first token, here
    a head writes each position's share, and steps of neurons count the positions with any.

    Positions of the stream belong to their variable, all neurons of a head or an MLP to the variable that these
    compute, outputs to the answer. Nothing is shared. Positions, heads, the neurons of each head and MLPs are in random
    order, and rescaled by factors between 1/scale and scale where their readers undo it: positions of the stream, which
    have no norm, queries against keys, values against what writes them on, neurons of MLPs. Outputs keep their order.

    ``x`` has every sequence, or 1024 random ones where there are more.

    References
    ----------
    .. [1] "Thinking Like Transformers" (RASP), arXiv:2106.06981.
    .. [2] "Tracr: Compiled Transformers as a Laboratory for Interpretability", arXiv:2301.05062.

    Examples
    --------
    >>> from bimt_analyze.synthetic import compiled_program
    >>> import numpy as np
    >>> planted = compiled_program(program="histogram", vocabulary=3, length=4)
    >>> planted.run(np.array([[0.0, 2.0, 0.0, 1.0]])).tolist()
    [[2, 1, 2, 1]]
    """
    if program not in PROGRAMS:
        raise InputError("unknown program", expected=", ".join(PROGRAMS), got=program, hint="name one of these")
    at_least("vocabulary", vocabulary, 2)
    at_least("length", length, 2)
    order, rescaling, data = streams(seed, "order", "factors", "x")
    source = PROGRAMS[program](vocabulary, length)
    places = _places(source, order)
    written = tuple(
        written_neurons(part, places, order) if isinstance(part, Neurons) else written_heads(part, places, order)
        for part in source.parts
    )
    network = _network(source, places, written, rescaling, scale)
    x = _sequences(vocabulary, length, data)
    variables, modules = _variables(source, places, written, network), _modules(source, places, written, network)
    options = {"program": program, "vocabulary": vocabulary, "length": length, "scale": scale}
    return Program(network, x, modules, True, "compiled_program", options, seed, variables)


def _places(source: Source, rng: np.random.Generator) -> dict[str, Int64[np.ndarray, " values"]]:
    """Variable -> its positions of the stream."""
    ends = np.cumsum(list(source.sizes.values()))
    return dict(zip(source.sizes, np.split(rng.permutation(ends[-1]), ends[:-1]), strict=True))


def _network(
    source: Source, places: Places, parts: tuple[Part, ...], rng: np.random.Generator, scale: float
) -> Network:
    """In double precision, mixed."""
    token, position, *_, answer = (np.eye(sum(source.sizes.values()))[places[name]] for name in places)
    stream = factors(rng, scale, [token.shape[1]])
    sizes = [part.sizes for part in parts]
    # drawn from a generator of its own, so that torch's global one is left alone
    blank = ProgramTransformer(len(token), len(position), len(stream), sizes, len(answer), generator=torch.Generator())
    tensors = {"embedding.weight": token * stream, "positions.weight": position * stream}
    for index, part in enumerate(parts):
        tensors |= part.rescaled(stream, rng, scale).tensors(f"parts.{index}")
    return Network.of(blank).with_tensors(
        tensors | {"write.weight": answer / stream, "write.bias": np.zeros(len(answer))}
    )


def _variables(source: Source, places: Places, parts: tuple[Part, ...], network: Network) -> tuple[Variable, ...]:
    token, position = list(places)[:2]
    computed: dict[str, tuple[NodeId, tuple[str, ...]]] = {token: (("embedding", 0), ())}
    computed[position] = (("positions", 0), ())
    for group, part in zip(network.layout.groups[1:-1], parts, strict=True):
        for number, (owner, reads) in enumerate(zip(part.owners, part.reads, strict=True)):
            computed[owner] = ((group.name, number), reads)
    return tuple(
        Variable(name, meaning, tuple(places[name].tolist()), *computed[name])
        for name, meaning in source.meanings.items()
    )


def _modules(source: Source, places: Places, parts: tuple[Part, ...], network: Network) -> dict[NodeId, int]:
    numbers = {name: number for number, name in enumerate(places)}
    resid, *groups, y = network.layout.groups
    found = {(resid.name, int(p)): numbers[name] for name, positions in places.items() for p in positions}
    for group, part in zip(groups, parts, strict=True):
        each = group.size // len(part.owners)
        found |= {(group.name, i): numbers[part.owners[i // each]] for i in range(group.size)}
    return found | {(y.name, i): len(numbers) - 1 for i in range(y.size)}


def _sequences(vocabulary: int, length: int, rng: np.random.Generator) -> Float64[np.ndarray, "rows length"]:
    if vocabulary**length <= _ROWS:
        return np.array(list(product(range(vocabulary), repeat=length)), dtype=np.float64)
    return rng.integers(0, vocabulary, (_ROWS, length)).astype(np.float64)
