"""Products of a matrix with numbers, in C: dense, sparse (CSR), or written out with the weights in the code."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float32

Matrix: TypeAlias = Float32[np.ndarray, "_ _"]
Vector: TypeAlias = Float32[np.ndarray, " _"]


@runtime_checkable
class Code(Protocol):
    """Where products are written, as `ModuleCode` says."""

    bytes: int

    def helper(self, name: str, source: str) -> None:
        """Ask for a function of the file's own by its ``name`` and its ``source``."""

    def say(self, statement: str) -> None:
        """Add a statement."""

    def array(self, what: str, values: np.ndarray | None, kind: str = "float") -> str:
        """Declare constants of a ``kind`` of number, called by ``what``; their name, or NULL without ``values``."""


_DENSE = """
/* y = W h + bias, or y += W h where there is no bias */
static void dense@of(@lane (*h)[@wide], @lane (*y)[@wide], int inputs, int outputs,
                     const float *weight, const float *bias)
{
    int o = 0;
    for (; o + 4 <= outputs; o += 4, weight += 4 * (size_t)inputs) { /* four sums at once: none waits for itself */
        const float *v = weight + inputs, *w = v + inputs, *z = w + inputs;
        @each{@lane s# = {0}, t# = {0}, p# = {0}, q# = {0};}
        for (int i = 0; i < inputs; i++) {
            @each{s# += weight[i] * h[i][#]; t# += v[i] * h[i][#];}
            @each{p# += w[i] * h[i][#]; q# += z[i] * h[i][#];}
        }
        if (bias) {
            @each{s# += bias[o]; t# += bias[o + 1]; p# += bias[o + 2]; q# += bias[o + 3];}
        } else {
            @each{s# += y[o][#]; t# += y[o + 1][#]; p# += y[o + 2][#]; q# += y[o + 3][#];}
        }
        @each{y[o][#] = s#; y[o + 1][#] = t#; y[o + 2][#] = p#; y[o + 3][#] = q#;}
    }
    for (; o < outputs; o++) {
        @each{@lane s# = {0};}
        @each{if (bias) s# += bias[o]; else s# = y[o][#];}
        for (int i = 0; i < inputs; i++) {
            const float w = *weight++;
            @each{s# += w * h[i][#];}
        }
        @each{y[o][#] = s#;}
    }
}
"""

_SPARSE = """
/* as dense; a sparse matrix is the weights of each row, the column of the first, and steps from column to column */
static void sparse_@step_@index@of(@lane (*h)[@wide], @lane (*y)[@wide], int outputs, const float *weight,
                                   const @index *start, const @index *first, const @step *step, const float *bias)
{
    for (int o = 0; o < outputs; o++) {
        @each{@lane s# = {0}, t# = {0};}
        @each{if (bias) s# += bias[o]; else s# = y[o][#];}
        @lane (*from)[@wide] = h + first[o];
        size_t k = start[o];
        for (; k + 1 < start[o + 1]; k += 2) { /* two sums at once: neither waits for the other */
            @lane (*a)[@wide] = from + step[k], (*b)[@wide] = a + step[k + 1];
            const float v = weight[k], w = weight[k + 1];
            @each{s# += v * a[0][#]; t# += w * b[0][#];}
            from = b;
        }
        if (k < start[o + 1]) {
            from += step[k];
            @each{s# += weight[k] * from[0][#];}
        }
        @each{y[o][#] = s# + t#;}
    }
}
"""


def dense(code: Code, weight: Matrix, bias: Vector | None, source: str, target: str) -> None:
    """Write ``target = weight source + bias`` into ``code``: every entry is multiplied, zeros too."""
    code.helper("dense", _DENSE)
    arrays = f"{code.array('weight', weight)}, {code.array('bias', bias)}"
    code.say(f"dense@of({source}, {target}, {weight.shape[1]}, {weight.shape[0]}, {arrays});")


def sparse(code: Code, weight: Matrix, bias: Vector | None, source: str, target: str) -> None:
    """Write ``target = weight source + bias`` into ``code``: steps from column to column find what is not 0."""
    rows, columns = np.nonzero(weight)
    start = np.searchsorted(rows, np.arange(len(weight) + 1))
    begins = np.diff(rows, prepend=-1) > 0
    steps = np.where(begins, 0, np.diff(columns, prepend=0))
    first = np.zeros(len(weight), dtype=np.int64)
    first[rows[begins]] = columns[begins]
    index = whole_type(max(int(start[-1]), weight.shape[1], 256))
    step = whole_type(int(steps.max(initial=0)))
    name = f"sparse_{step}_{index}"
    code.helper(name, _SPARSE.replace("@step", step).replace("@index", index))
    arrays = [code.array("weight", weight[rows, columns])]
    arrays += [code.array(what, numbers, index) for what, numbers in (("start", start), ("first", first))]
    arrays += [code.array("step", steps, step), code.array("bias", bias)]
    code.say(f"{name}@of({source}, {target}, {len(weight)}, {', '.join(arrays)});")


def unrolled(code: Code, weight: Matrix, bias: Vector | None, source: str, target: str) -> None:
    """Write ``target = weight source + bias`` with each weight that is not 0 as a number in the ``code``."""
    code.bytes += 4 * int((weight != 0).sum()) + (0 if bias is None else bias.nbytes)
    for o, row in enumerate(weight):
        begin = f"{target}[{o}][l]" if bias is None else f"(@lane){{0}} + {number(bias[o])}"
        terms = [f"{number(row[i])} * {source}[{i}][l]" for i in np.flatnonzero(row)]
        code.say(f"for (int l = 0; l < @wide; l++) {target}[{o}][l] = {' + '.join([begin, *terms])};")


Product = Callable[[Code, Matrix, Vector | None, str, str], None]

STORAGES: Mapping[str, Product] = MappingProxyType({"dense": dense, "sparse": sparse, "unrolled": unrolled})
"""The ways in which a matrix lies in the file."""


def number(value: np.float32) -> str:
    """A float as C writes it, equal to the bit.

    Parameters
    ----------
    value : numpy.float32
        Any finite number.

    Returns
    -------
    str
        The shortest text that reads back as this float.
    """
    text = str(np.float32(value))
    return f"{text if '.' in text or 'e' in text else f'{text}.0'}f"


def whole_type(largest: int) -> str:
    """The smallest of C's types without a sign that holds a number.

    Parameters
    ----------
    largest : int
        The number.

    Returns
    -------
    str
        ``uint8_t``, ``uint16_t`` or ``uint32_t``.
    """
    return next(f"uint{bits}_t" for bits in (8, 16, 32) if largest < 2**bits)
