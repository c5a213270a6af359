"""Hints for the search of one formula: which inputs count, what is only added, what enters as a weighted sum."""

from dataclasses import dataclass

from bimt_train import InputError
from bimt_train.showing import Shown


@dataclass(frozen=True, repr=False)
class Ridge(Shown):
    """A weighted sum u = direction . inputs that first-layer neurons read.

    Attributes
    ----------
    inputs : tuple of str
        The inputs that are summed.
    direction : tuple of float
        Their weights, the largest in magnitude being 1.

    Examples
    --------
    >>> Ridge(("a", "b"), (1.0, -0.5)).inputs
    ('a', 'b')
    """

    inputs: tuple[str, ...]
    direction: tuple[float, ...]


@dataclass(frozen=True, repr=False)
class Combination(Shown):
    """Two inputs that may count only as h(first) + c h(second).

    Attributes
    ----------
    inputs : tuple of two str
        The first and the second input.
    kind : str
        The name of h, as in `StructuralTestResult.transform`: ``sum``, ``product``, ``squares`` or ``reciprocals``.
    coefficient : float
        The number c.

    Examples
    --------
    >>> Combination(("a", "b"), "sum", -1.0)  # a - b
    Combination(inputs=('a', 'b'), kind='sum', coefficient=-1.0)
    """

    inputs: tuple[str, str]
    kind: str
    coefficient: float


@dataclass(frozen=True, repr=False)
class Structure(Shown):
    """Hints for the search of one output; they only propose, and a search may find every one of them wrong.

    Attributes
    ----------
    inputs : tuple of str
        The names that reach the output.
    terms : tuple of frozenset of str
        Groups of inputs whose paths meet only in the output's own sum, the largest first.
    ridges : tuple of Ridge
        Weighted sums of two or more inputs, the heaviest first.
    combinations : tuple of Combination
        Of two inputs, the best-supported first.

    Raises
    ------
    InputError
        For a term, ridge or combination that names an input which is not in ``inputs``.

    Examples
    --------
    >>> Structure(("a", "b", "c"), terms=(frozenset({"a", "b"}), frozenset({"c"}))).inputs
    ('a', 'b', 'c')
    """

    inputs: tuple[str, ...]
    terms: tuple[frozenset[str], ...] = ()
    ridges: tuple[Ridge, ...] = ()
    combinations: tuple[Combination, ...] = ()

    def __post_init__(self) -> None:
        pairs = {name for one in self.combinations for name in one.inputs}
        named = pairs.union(*self.terms, *(ridge.inputs for ridge in self.ridges))
        strange = named - set(self.inputs)
        if strange:
            raise InputError(
                "hints name inputs that do not reach the output",
                where="Structure",
                expected=f"names among {sorted(self.inputs)}",
                got=str(sorted(strange)),
                hint="list them in inputs too, or leave them out",
            )
