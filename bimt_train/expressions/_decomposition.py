"""What is known of how a task is built: a small graph of named subfunctions, without cycles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64

from .._errors import ExpressionError, TaskError
from ..did_you_mean import did_you_mean
from ..showing import Shown
from ._formula_reader import is_variable_name
from ._grouping import read_grouping
from ._json_text import as_names, as_text
from .expression import Expression, natural_order, parse_expression


@dataclass(frozen=True, repr=False)
class Decomposition(Shown):
    """The known decomposition of a task: subfunctions, each a formula over inputs and other subfunctions.

    Every output is a subfunction. A subfunction may be used before it is defined: the order in which subfunctions are
    given is the order of the results of `evaluate`, not the order in which they are computed.

    Attributes
    ----------
    inputs : tuple of str
        The names of the task's inputs.
    outputs : tuple of str
        The names of the task's outputs, each a subfunction.
    definitions : tuple of (str, str)
        Subfunctions with a formula: the name and the formula's text.
    stated : tuple of (str, tuple of str)
        Subfunctions of which only the dependencies are known: the name, and the names it is made of.

    Raises
    ------
    TaskError
        A name is unknown, repeated or no name at all, an output is not defined, or subfunctions depend on each other in
        a circle.

    Examples
    --------
    The task ``composition`` of arXiv 2305.08746 computes a distance in two stages:

    >>> decomposition = Decomposition(
    ...     inputs=("x1", "x2", "x3", "x4"),
    ...     outputs=("y",),
    ...     definitions=(("a", "(x1 - x2)**2"), ("b", "(x3 - x4)**2"), ("y", "sqrt(a + b)")),
    ... )
    >>> sorted(decomposition.dependencies()["a"])
    ['x1', 'x2']
    >>> str(decomposition.expression("y"))
    'sqrt((x1 - x2)**2 + (x3 - x4)**2)'
    >>> decomposition.evaluate(np.array([[4.0, 1.0, 0.0, 4.0]]))["y"]
    array([5.])
    >>> for level in decomposition.hierarchy():
    ...     print([sorted(group) for group in level])
    [['a', 'x1', 'x2'], ['b', 'x3', 'x4'], ['y']]
    [['a', 'b', 'x1', 'x2', 'x3', 'x4', 'y']]
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    definitions: tuple[tuple[str, str], ...] = ()
    stated: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        names = [*self.inputs, *self.names]
        for name in names:
            if not is_variable_name(name):
                raise TaskError(
                    "not a name for an input or a subfunction",
                    where=repr(name),
                    expected="a letter, then letters, digits, _",
                )
        for name in (*dict.fromkeys(n for n in names if names.count(n) > 1), *_repeated(self.outputs)):
            raise TaskError("a name is given twice", where=repr(name), hint="rename one of the two")
        for name in self.outputs:
            if name not in self.names:
                hint = did_you_mean(name, self.names)
                raise TaskError(
                    "output without a definition", where=repr(name), expected=", ".join(self.names), hint=hint
                )
        for subfunction, needed in self._needs.items():
            for name in needed:
                if name not in names:
                    where = f"{name!r}, in the definition of {subfunction!r}"
                    expected = ", ".join(names)
                    raise TaskError("unknown name", where=where, expected=expected, hint=did_you_mean(name, names))
        self._heights  # noqa: B018 -- walks the graph, and so refuses circles

    @property
    def names(self) -> tuple[str, ...]:
        """All subfunctions, outputs included, in the order they were given."""
        return tuple(name for name, _ in self.definitions) + tuple(name for name, _ in self.stated)

    @property
    def has_expressions(self) -> bool:
        """Whether every subfunction is given by a formula."""
        return not self.stated

    @cached_property
    def _expressions(self) -> dict[str, Expression]:
        return {name: _parsed(name, text) for name, text in self.definitions}

    @cached_property
    def _needs(self) -> dict[str, tuple[str, ...]]:
        return {name: found.names for name, found in self._expressions.items()} | dict(self.stated)

    @cached_property
    def _heights(self) -> dict[str, int]:
        """0 for an input; for a subfunction 1 + the highest of what it is made of; lower ones first."""
        heights = dict.fromkeys(self.inputs, 0)
        waiting = dict(self._needs)
        while waiting:
            ready = [name for name, needed in waiting.items() if all(n in heights for n in needed)]
            if not ready:
                circle = ", ".join(repr(name) for name in waiting)
                hint = "define each subfunction by inputs and by subfunctions that do not need it"
                raise TaskError("subfunctions depend on each other in a circle", where=circle, hint=hint)
            for name in ready:
                heights[name] = 1 + max((heights[n] for n in waiting[name]), default=0)
            waiting = {name: needed for name, needed in waiting.items() if name not in heights}
        return dict(sorted(heights.items(), key=lambda item: item[1]))

    def dependencies(self) -> dict[str, frozenset[str]]:
        """List, for each subfunction, the inputs it may depend on, directly or through other subfunctions."""
        reach = {name: frozenset((name,)) for name in self.inputs}
        for name in self._heights:
            if name not in reach:
                reach[name] = frozenset[str]().union(*(reach[needed] for needed in self._needs[name]))
        return {name: reach[name] for name in self.names}

    def modules(self) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
        """Group inputs and outputs by the connected components of the graph: the flat grouping.

        Every input and every output is in exactly one group; an input that nothing uses is a group with no outputs.

        Returns
        -------
        tuple of (frozenset of str, frozenset of str)
            For each group its inputs and its outputs, ordered by their first input, as the task names them.

        Examples
        --------
        >>> decomposition = Decomposition.from_grouping("y1: x1 x3; y2: x2")
        >>> [(sorted(ins), sorted(outs)) for ins, outs in decomposition.modules()]
        [(['x1', 'x3'], ['y1']), (['x2'], ['y2'])]
        """
        groups = self._components(max(self._heights.values(), default=0))
        shores = frozenset(self.inputs), frozenset(self.outputs)
        flat = ((group & shores[0], group & shores[1]) for group in groups)
        return tuple((ins, outs) for ins, outs in flat if ins or outs)

    def hierarchy(self) -> tuple[tuple[frozenset[str], ...], ...]:
        """Group all inputs and subfunctions, from the finest level to the coarsest; each level refines the next.

        Level k joins what is connected through subfunctions of height at most k. The height of an input is 0; that of a
        subfunction is one more than the greatest height among what it is made of. The last level is that of `modules`,
        with the subfunctions between.

        Returns
        -------
        tuple of tuple of frozenset of str
            The groups of each level.

        Examples
        --------
        >>> decomposition = Decomposition(("x1", "x2"), ("y",), (("a", "x1**2"), ("y", "a + x2")))
        >>> [[sorted(group) for group in level] for level in decomposition.hierarchy()]
        [[['a', 'x1'], ['x2'], ['y']], [['a', 'x1', 'x2', 'y']]]
        """
        return tuple(self._components(height) for height in range(1, max(self._heights.values(), default=0) + 1))

    def _components(self, height: int) -> tuple[frozenset[str], ...]:
        group = {name: frozenset((name,)) for name in (*self.inputs, *self.names)}
        for subfunction, needed in self._needs.items():
            if self._heights[subfunction] <= height:
                joined = group[subfunction].union(*(group[name] for name in needed))
                group.update(dict.fromkeys(joined, joined))
        return tuple(dict.fromkeys(group.values()))

    def expression(self, name: str, *, expanded: bool = True) -> Expression:
        """Return the formula of a subfunction.

        Parameters
        ----------
        name : str
            The subfunction.
        expanded : bool, default True
            Whether to write it over the inputs alone. Otherwise it is returned as it was given.

        Returns
        -------
        Expression
            The formula.

        Raises
        ------
        TaskError
            There is no such subfunction, or only its dependencies are known.
        """
        if name not in self.names:
            raise TaskError("no such subfunction", where=repr(name), expected=", ".join(self.names))
        if not expanded:
            return self._formula(name)
        below, waiting = {name}, [name]
        while waiting:
            fresh = set(self._needs.get(waiting.pop(), ())) - below
            below |= fresh
            waiting.extend(fresh)
        full: dict[str, Expression] = {}
        for subfunction in self._heights:
            if subfunction in below and subfunction in self._needs:
                full[subfunction] = self._formula(subfunction).substitute(full)
        return full[name]

    def _formula(self, name: str) -> Expression:
        if name not in self._expressions:
            what = "only the dependencies of a subfunction are known, not its formula"
            raise TaskError(what, where=repr(name), hint="give it as a definition")
        return self._expressions[name]

    def evaluate(self, x: Float64[np.ndarray, "rows inputs"]) -> dict[str, Float64[np.ndarray, " rows"]]:
        """Compute every subfunction at every row of ``x``.

        Parameters
        ----------
        x : array of float, shape (rows, inputs)
            One column for each input, in the order of ``inputs``, in the task's own units.

        Returns
        -------
        dict of str to array of float, shape (rows,)
            One array for each of `names`.

        Raises
        ------
        TaskError
            A formula is missing, or ``x`` has another number of columns.
        """
        if x.ndim != 2 or x.shape[1] != len(self.inputs):
            expected = f"[rows, {len(self.inputs)}]"
            raise TaskError("x of the wrong shape", expected=expected, got=str(list(x.shape)))
        values = {name: x[:, column] for column, name in enumerate(self.inputs)}
        for subfunction in self._heights:
            if subfunction not in values:
                formula = self._formula(subfunction)
                found = formula.evaluate({name: values[name] for name in formula.names})
                values[subfunction] = np.array(np.broadcast_to(found, (len(x),)))
        return {name: values[name] for name in self.names}

    def to_json(self) -> dict[str, Any]:
        """Write the decomposition as plain lists and strings, for a JSON file."""
        return {
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "definitions": [list(pair) for pair in self.definitions],
            "stated": [[name, list(needed)] for name, needed in self.stated],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Decomposition":
        """Make the decomposition that `to_json` wrote.

        Parameters
        ----------
        data : mapping
            What `to_json` returned.

        Returns
        -------
        Decomposition
            An equal decomposition.

        Raises
        ------
        TaskError
            A field is missing or of another type.
        """
        try:
            definitions = tuple((as_text(name), as_text(formula)) for name, formula in data["definitions"])
            stated = tuple((as_text(name), as_names(needed)) for name, needed in data["stated"])
            inputs, outputs = as_names(data["inputs"]), as_names(data["outputs"])
        except (KeyError, TypeError, ValueError) as error:
            raise TaskError("a decomposition that cannot be read", got=f"{type(error).__name__}: {error}") from None
        return cls(inputs, outputs, definitions, stated)

    @classmethod
    def from_grouping(
        cls, text: str, *, inputs: Sequence[str] | None = None, outputs: Sequence[str] | None = None
    ) -> "Decomposition":
        """Read a decomposition of which only the dependencies are known: ``"y1: x1 x3; y2: x2 x4"``.

        A name that stands left of no colon is an input. A name that no other subfunction uses is an output.

        Parameters
        ----------
        text : str
            Statements parted by ``;``, each a name or several, a colon, and the names that each is made of, parted
            by spaces or commas. Subfunctions may stand between: ``"f: x1 x2; y1 y2: f x3"``.
        inputs : sequence of str, optional
            The network's inputs. If given, no other name may be an input.
        outputs : sequence of str, optional
            The network's outputs. If given, each must be defined.

        Returns
        -------
        Decomposition
            With every subfunction in ``stated``.

        Raises
        ------
        TaskError
            The text cannot be read, is empty, or contradicts itself or the names that are given.

        Examples
        --------
        >>> Decomposition.from_grouping("y: a x3; a: x1 x2").outputs
        ('y',)
        """
        stated = read_grouping(text)
        subfunctions = [name for name, _ in stated]
        used = {name for _, needed in stated for name in needed}
        if inputs is None:
            inputs = natural_order(used.difference(subfunctions))
        if outputs is None:
            outputs = [name for name in dict.fromkeys(subfunctions) if name not in used]
        return cls(tuple(inputs), tuple(outputs), (), stated)


def _parsed(name: str, text: str) -> Expression:
    try:
        return parse_expression(text)
    except ExpressionError as error:
        raise TaskError(f"subfunction {name!r}: {error}") from error


def _repeated(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for at, name in enumerate(names) if name in names[:at])
