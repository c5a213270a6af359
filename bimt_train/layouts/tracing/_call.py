"""One operator of a program on values that carry labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from ._fields import Fields, labels_in, of_constant, varying
from .labels._label_store import Labels

GONE = -1
"""Where the units of a value have the neuron whose axis was dropped: a column of a table, a squeezed output."""


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor while the program runs.

    Attributes
    ----------
    tensor : torch.Tensor
        Its entries.
    fields : tuple of torch.Tensor
        The labels of its entries; each axis along which the entries differ has a field that varies along it.
    origin : frozenset of str
        The module's tensors that it is computed from, as long as no input takes part.
    of_inputs : bool
        Whether inputs take part. A value with neither origin nor inputs is a constant.
    units : mapping of int to int
        The label of the only neuron along each axis of length 1 that is one of neurons; at `GONE`, that of a neuron
        whose axis is no longer there.
    """

    tensor: Tensor
    fields: Fields
    origin: frozenset[str] = frozenset()
    of_inputs: bool = False
    units: Mapping[int, int] = field(default_factory=dict)

    @property
    def constant(self) -> bool:
        """Whether it is the same for all inputs and all tensors of the module."""
        return not (self.of_inputs or self.origin)


@dataclass(frozen=True, eq=False)
class Call:
    """What a rule sees of one operator.

    Attributes
    ----------
    labels : Labels
        The store, to which the rule adds its demands.
    operator : callable
        The operator itself.
    args : tuple
        Arguments by position, with `Value` for tensors.
    kwargs : mapping of str to object
        Arguments by name.
    result : object
        What the operator returned for the entries.
    used : frozenset of int
        Which of several results anything reads.
    """

    labels: Labels
    operator: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any
    used: frozenset[int] = frozenset()

    def fields(self, value: Any) -> Fields:
        """The fields of an argument; none for a number.

        Parameters
        ----------
        value : object
            The argument.
        """
        if not isinstance(value, Value):
            return ()
        return of_constant(self.labels, value.tensor) if value.constant else value.fields

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """The argument at a place, or of a name, or the default."""
        return self.args[place] if len(self.args) > place else self.kwargs.get(name, default)

    def layer(self, value: Any, *contracted: int) -> None:
        """Note that a layer reads along the ``contracted`` axes of one of its tensors, and writes along the others.

        Parameters
        ----------
        value : object
            The tensor.
        *contracted : int
            Its axes that are summed over.
        """
        if isinstance(value, Value) and not value.of_inputs:
            for field in value.fields:
                reads = varying(field) & {axis % field.ndim for axis in contracted}
                (self.labels.read if reads else self.labels.written).update(labels_in(field))


Rule = Callable[[Call], Fields | list[Fields]]


def axes_of(given: Any, count: int) -> tuple[int, ...]:
    """Axes as an operator takes them, one, several or none for all, counted from 0.

    Parameters
    ----------
    given : int, sequence of int or None
        What the operator was given; negative ones count from the end.
    count : int
        How many axes there are.
    """
    if given is None or given == []:
        return tuple(range(count))
    listed = given if isinstance(given, list | tuple) else [given]
    return tuple(axis % max(count, 1) for axis in listed)
