"""What is known of how a task is built: a small graph of named parts, without cycles."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64

from .._errors import ExpressionError, TaskError
from ._expression import Expression, natural_order, parse_expression
from ._formula_reader import is_variable_name


@dataclass(frozen=True)
class KnownParts:
    """A task's decomposition: each part is a formula over inputs and other parts; every output is a part.

    ``definitions`` are pairs (part, formula text). A part of which only the dependencies are known stands in
    ``stated`` instead, as (part, names it is made of). The order of both is the order of evaluation's results,
    not of evaluation: a part may be used before it is defined.

    >>> parts = KnownParts(
    ...     ("x1", "x2", "x3", "x4"), ("y",),
    ...     (("a", "(x1 - x2)**2"), ("b", "(x3 - x4)**2"), ("y", "sqrt(a + b)")),
    ... )
    >>> sorted(parts.dependencies()["a"])
    ['x1', 'x2']
    >>> str(parts.expression("y"))
    'sqrt((x1 - x2)**2 + (x3 - x4)**2)'

    Raises TaskError for a name that is unknown, repeated or no name at all, for an output that is not defined, and
    for parts that depend on each other in a circle.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    definitions: tuple[tuple[str, str], ...] = ()
    stated: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        names = [*self.inputs, *self.names]
        for name in names:
            if not is_variable_name(name):
                raise TaskError("not a name for an input or a part", where=repr(name), expected="letter, digits, _")
        for name in (*dict.fromkeys(n for n in names if names.count(n) > 1), *_repeated(self.outputs)):
            raise TaskError("a name is given twice", where=repr(name), mend="rename one of the two")
        for name in self.outputs:
            if name not in self.names:
                mend = _did_you_mean(name, self.names)
                raise TaskError(
                    "output without a definition", where=repr(name), expected=", ".join(self.names), mend=mend
                )
        for part, needed in self._needs.items():
            for name in needed:
                if name not in names:
                    where = f"{name!r}, in the definition of {part!r}"
                    expected = ", ".join(names)
                    raise TaskError("unknown name", where=where, expected=expected, mend=_did_you_mean(name, names))
        self._heights  # noqa: B018 -- walks the graph, and so refuses circles

    @property
    def names(self) -> tuple[str, ...]:
        """All parts, outputs included, in the order they were given."""
        return tuple(name for name, _ in self.definitions) + tuple(name for name, _ in self.stated)

    @property
    def has_expressions(self) -> bool:
        """Is every part given by a formula?"""
        return not self.stated

    @cached_property
    def _expressions(self) -> dict[str, Expression]:
        return {name: _parsed(name, text) for name, text in self.definitions}

    @cached_property
    def _needs(self) -> dict[str, tuple[str, ...]]:
        return {name: found.names for name, found in self._expressions.items()} | dict(self.stated)

    @cached_property
    def _heights(self) -> dict[str, int]:
        """0 for an input, 1 + the highest of what it is made of for a part; lower ones first."""
        heights = dict.fromkeys(self.inputs, 0)
        waiting = dict(self._needs)
        while waiting:
            ready = [name for name, needed in waiting.items() if all(n in heights for n in needed)]
            if not ready:
                circle = ", ".join(repr(name) for name in waiting)
                mend = "define each part by inputs and by parts that do not need it"
                raise TaskError("parts that depend on each other in a circle", where=circle, mend=mend)
            for name in ready:
                heights[name] = 1 + max((heights[n] for n in waiting[name]), default=0)
            waiting = {name: needed for name, needed in waiting.items() if name not in heights}
        return dict(sorted(heights.items(), key=lambda item: item[1]))

    def dependencies(self) -> dict[str, frozenset[str]]:
        """For each part, the inputs it may depend on, directly or through other parts."""
        reach = {name: frozenset((name,)) for name in self.inputs}
        for name in self._heights:
            if name not in reach:
                reach[name] = frozenset[str]().union(*(reach[needed] for needed in self._needs[name]))
        return {name: reach[name] for name in self.names}

    def modules(self) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
        """The flat grouping: the connected components of the graph, each as (its inputs, its outputs).

        Every input and every output is in exactly one; an input that nothing uses is a group with no outputs.
        Ordered by their first input, as the task names them.
        """
        groups = self._components(max(self._heights.values(), default=0))
        shores = frozenset(self.inputs), frozenset(self.outputs)
        flat = ((group & shores[0], group & shores[1]) for group in groups)
        return tuple((ins, outs) for ins, outs in flat if ins or outs)

    def hierarchy(self) -> tuple[tuple[frozenset[str], ...], ...]:
        """Groupings of all inputs and parts, from the finest to the coarsest; each refines the next.

        Level k joins what is connected through parts of height at most k, where an input has height 0 and a part
        one more than the highest thing it is made of. The last level is ``modules`` with the parts between.

        >>> parts = KnownParts(("x1", "x2"), ("y",), (("a", "x1**2"), ("y", "a + x2")))
        >>> [[sorted(group) for group in level] for level in parts.hierarchy()]
        [[['a', 'x1'], ['x2'], ['y']], [['a', 'x1', 'x2', 'y']]]
        """
        return tuple(self._components(height) for height in range(1, max(self._heights.values(), default=0) + 1))

    def _components(self, height: int) -> tuple[frozenset[str], ...]:
        group = {name: frozenset((name,)) for name in (*self.inputs, *self.names)}
        for part, needed in self._needs.items():
            if self._heights[part] <= height:
                joined = group[part].union(*(group[name] for name in needed))
                group.update(dict.fromkeys(joined, joined))
        return tuple(dict.fromkeys(group.values()))

    def expression(self, name: str, *, expanded: bool = True) -> Expression:
        """The formula of a part: over the inputs alone, or, not ``expanded``, as it was given.

        Raises TaskError when there is no such part or only its dependencies are known.
        """
        if name not in self.names:
            raise TaskError("no such part", where=repr(name), expected=", ".join(self.names))
        if not expanded:
            return self._formula(name)
        below, waiting = {name}, [name]
        while waiting:
            fresh = set(self._needs.get(waiting.pop(), ())) - below
            below |= fresh
            waiting.extend(fresh)
        full: dict[str, Expression] = {}
        for part in self._heights:
            if part in below and part in self._needs:
                full[part] = self._formula(part).substitute(full)
        return full[name]

    def _formula(self, name: str) -> Expression:
        if name not in self._expressions:
            what = "only the dependencies of a part are known, not its formula"
            raise TaskError(what, where=repr(name), mend="give it as a definition")
        return self._expressions[name]

    def evaluate(self, x: Float64[np.ndarray, "rows inputs"]) -> dict[str, Float64[np.ndarray, " rows"]]:
        """Every part at every row of ``x`` (columns in the order of ``inputs``), keyed by part.

        Raises TaskError when a formula is missing or ``x`` has another number of columns.
        """
        if x.ndim != 2 or x.shape[1] != len(self.inputs):
            expected = f"[rows, {len(self.inputs)}]"
            raise TaskError("points of the wrong shape", expected=expected, got=str(list(x.shape)))
        values = {name: x[:, column] for column, name in enumerate(self.inputs)}
        for part in self._heights:
            if part not in values:
                formula = self._formula(part)
                found = formula.evaluate({name: values[name] for name in formula.names})
                values[part] = np.array(np.broadcast_to(found, (len(x),)))
        return {name: values[name] for name in self.names}

    def to_json(self) -> dict[str, Any]:
        """Plain lists and strings, for a JSON file."""
        return {
            "inputs": list(self.inputs),
            "outputs": list(self.outputs),
            "definitions": [list(pair) for pair in self.definitions],
            "stated": [[name, list(needed)] for name, needed in self.stated],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "KnownParts":
        """The inverse of ``to_json``. Raises TaskError when a field is missing or of another kind."""
        try:
            definitions = tuple((as_text(name), as_text(formula)) for name, formula in data["definitions"])
            stated = tuple((as_text(name), as_names(needed)) for name, needed in data["stated"])
            inputs, outputs = as_names(data["inputs"]), as_names(data["outputs"])
        except (KeyError, TypeError, ValueError) as error:
            raise TaskError("known parts that cannot be read", got=f"{type(error).__name__}: {error}") from None
        return cls(inputs, outputs, definitions, stated)

    @classmethod
    def from_grouping(
        cls, text: str, *, inputs: Sequence[str] | None = None, outputs: Sequence[str] | None = None
    ) -> "KnownParts":
        """Parts of which only the dependencies are known: ``"y1: x1 x3; y2: x2 x4"``.

        What stands left of no colon is an input; what is used by no other part is an output. ``inputs`` and
        ``outputs``, if given, are the network's names, and then no other names may occur on the outside.

        >>> KnownParts.from_grouping("y: a x3; a: x1 x2").outputs
        ('y',)
        """
        stated: list[tuple[str, tuple[str, ...]]] = []
        for statement in filter(str.strip, text.split(";")):
            name, colon, needed = statement.partition(":")
            if not colon or not name.strip() or ":" in needed:
                where = repr(statement.strip())
                raise TaskError("cannot read known parts", where=where, expected="'y1: x1 x3; y2: x2 x4'")
            stated.append((name.strip(), tuple(dict.fromkeys(re.split(r"[\s,]+", needed.strip(" \t\n,"))))))
        stated = [(name, tuple(filter(None, needed))) for name, needed in stated]
        if not stated:
            raise TaskError("no known parts given", expected="'y1: x1 x3; y2: x2 x4'", got=repr(text))
        parts = [name for name, _ in stated]
        used = {name for _, needed in stated for name in needed}
        if inputs is None:
            inputs = natural_order(used.difference(parts))
        if outputs is None:
            outputs = [name for name in dict.fromkeys(parts) if name not in used]
        return cls(tuple(inputs), tuple(outputs), (), tuple(stated))


def _parsed(name: str, text: str) -> Expression:
    try:
        return parse_expression(text)
    except ExpressionError as error:
        raise TaskError(f"part {name!r}: {error}") from error


def as_text(value: Any) -> str:
    """``value`` if it is text, for reading JSON; otherwise a TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def as_names(value: Any) -> tuple[str, ...]:
    """A tuple of texts from a JSON list; otherwise a TypeError."""
    if isinstance(value, str):
        raise TypeError(f"{value!r} is not a list")
    return tuple(as_text(each) for each in value)


def _repeated(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for at, name in enumerate(names) if name in names[:at])


def _did_you_mean(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else ""
