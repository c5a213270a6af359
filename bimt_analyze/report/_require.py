"""Requirements on a report, as ``--require`` takes them: ``agreement>=0.9``."""

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from bimt_train import InputError
from bimt_train.did_you_mean import did_you_mean
from bimt_train.showing import Shown

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt}
)
HEADLINES: Mapping[str, str] = MappingProxyType({"agreement": "score", "significance": "p"})
"""Objects that may stand for their headline: ``agreement`` alone means ``agreement.score``."""

_FORM = re.compile(r"\s*(?P<path>[^\s<>=!]+)\s*(?:(?P<sign>>=|<=|==|!=|>|<|=)\s*(?P<value>[^\s<>=!]+)\s*)?")
_EXAMPLE = "write for instance 'agreement>=0.9', 'significance.p<0.05', 'formulas.y1.exact' or 'circuit.edges<=40'"


@dataclass(frozen=True, repr=False)
class Finding(Shown):
    """One field held against a requirement.

    Attributes
    ----------
    field : str
        Where it stands in the report.
    value : float or None
        What stands there, true and false as 1 and 0; None where the report has no number.
    holds : bool
        Whether it meets the requirement.
    line : str
        All of it in words, with the distance where it does not hold.

    Examples
    --------
    >>> Requirement.parse("score>=0.9").findings({"score": 0.8})[0].line
    'score is 0.8, and >= 0.9 is required, off by 0.1'
    """

    field: str
    value: float | None
    holds: bool
    line: str


@dataclass(frozen=True, repr=False)
class Requirement(Shown):
    """A field of report.json, a comparison and a number.

    Fields are dotted (``formulas.y1.r2``); ``*`` stands for every name at that place; a list stands for its length;
    `HEADLINES` for their headline. Truth values compare as 1 and 0, and a field alone means that it is true.

    Attributes
    ----------
    field : str
        The dotted path.
    comparison : str
        One of ``>=``, ``<=``, ``==``, ``!=``, ``>``, ``<``.
    value : float
        The number on the right side.

    Examples
    --------
    >>> str(Requirement.parse("circuit.edges <= 40"))
    'circuit.edges<=40'
    """

    field: str
    comparison: str
    value: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``field comparison number``.

        Parameters
        ----------
        text : str
            The requirement as a user writes it.

        Returns
        -------
        Requirement
            The requirement as a value.

        Raises
        ------
        InputError
            The text is not of this form.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise InputError(
                "a requirement that cannot be read", where=repr(text), expected="field>=number", hint=_EXAMPLE
            )
        sign = match["sign"] or "=="
        return cls(match["path"], "==" if sign == "=" else sign, _number(match["value"] or "true", text))

    def __str__(self) -> str:
        return f"{self.field}{self.comparison}{self.value:g}"

    def check_field(self, measures: Sequence[str]) -> None:
        """Refuse a field that no report has, before one is made; names of outputs and the like stay open.

        Parameters
        ----------
        measures : sequence of str
            The names of the audit's measures.

        Raises
        ------
        InputError
            No report has such a field.
        """
        from .records._schema import known_fields

        path = self.field.split(".")
        for depth, piece in enumerate(path):
            known = known_fields(path[:depth], measures)
            if known is not None and piece not in (*known, "*"):
                raise _unknown(self.field, piece, tuple(path[:depth]), dict.fromkeys(known))

    def findings(self, report: Mapping[str, Any]) -> tuple[Finding, ...]:
        """Hold every field that the requirement speaks of against it.

        Parameters
        ----------
        report : mapping
            The content of report.json.

        Returns
        -------
        tuple of Finding
            One finding a field. Where ``*`` stands for nothing, one that does not hold: what is not there is not shown
            to be as required.

        Raises
        ------
        InputError
            The report has no such field, or it is no number.
        """
        found = tuple(self._finding(field, value) for field, value in _resolve(self.field, report))
        nothing = Finding(self.field, None, False, f"{self.field} stands for nothing in this report")
        return found or (nothing,)

    def _finding(self, field: str, found: Any) -> Finding:
        wanted = f"{self.comparison} {self.value:g}"
        if found is None:
            return Finding(field, None, False, f"{field} is not known, and {wanted} is required")
        value = float(found)
        holds = COMPARISONS[self.comparison](value, self.value)
        said = str(found).lower() if isinstance(found, bool) else f"{value:.6g}"
        if holds:
            return Finding(field, value, True, f"{field} is {said}, as required ({wanted})")
        missing = "" if isinstance(found, bool) else f", off by {abs(value - self.value):.3g}"
        return Finding(field, value, False, f"{field} is {said}, and {wanted} is required{missing}")


def _number(text: str, whole: str) -> float:
    words = {"true": 1.0, "false": 0.0}
    try:
        value = words[text.lower()] if text.lower() in words else float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        got = repr(text)
        raise InputError(
            "a requirement without a number", where=repr(whole), expected="a number, true or false", got=got
        )
    return value


def _resolve(field: str, report: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The fields that a path means, with their values; a list is its length."""
    places: list[tuple[tuple[str, ...], Any]] = [((), report)]
    for piece in field.split("."):
        deeper: list[tuple[tuple[str, ...], Any]] = []
        for path, value in places:
            items = _items(value)
            if piece != "*" and piece not in items:
                raise _unknown(field, piece, path, items)
            deeper += [((*path, name), items[name]) for name in (items if piece == "*" else (piece,))]
        places = deeper
    for path, value in places:
        if len(path) == 1 and isinstance(value, Mapping) and path[0] in HEADLINES:
            path = (*path, HEADLINES[path[0]])
            value = value.get(path[-1])
        if isinstance(value, list):
            value = len(value)
        if not (value is None or isinstance(value, bool | int | float)):
            expected = "a field with a number" + (f", such as {', '.join(_items(value))}" if _items(value) else "")
            raise InputError("a field without a number", where=".".join(path), expected=expected, hint=_EXAMPLE)
        yield ".".join(path), value


def _items(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {str(place + 1): item for place, item in enumerate(value)} if isinstance(value, list) else {}


def _unknown(field: str, piece: str, path: tuple[str, ...], items: Mapping[str, Any]) -> InputError:
    before = "".join(f"{name}." for name in path)
    return InputError(
        "a requirement on a field that the report does not have",
        where=repr(field),
        expected=(f"in {'.'.join(path)}: " if path else "") + (", ".join(items) or "nothing further"),
        got=piece,
        hint=did_you_mean(piece, items, before=before, otherwise=_EXAMPLE),
    )
