"""The numbers and words of a recipe by their names, so that a sweep can change any of them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ..._errors import InputError
from ...did_you_mean import did_you_mean
from ._recipe import Recipe

LAMBDA = "lambda"
"""Not a field: scales the strengths of all phases, so that the greatest is the number given."""


Kind = type | tuple[str, ...]


@cache
def recipe_fields() -> Mapping[str, Kind]:
    """The names that a sweep knows, with the type of their values, or the words that they may be.

    Returns
    -------
    mapping of str to type or tuple of str
        ``lambda``, the plain fields of `Recipe`, and with a dot those of its parts; True and False are left out.

    Examples
    --------
    >>> recipe_fields()["relocation.every"], recipe_fields()["cost.l0"], recipe_fields()["lambda"]
    (<class 'int'>, <class 'float'>, <class 'float'>)
    """
    return MappingProxyType({LAMBDA: float, **dict(_plain(Recipe, ""))})


def _plain(kind: type, prefix: str) -> Iterator[tuple[str, Kind]]:
    """The fields of a dataclass that hold a number or a word, and those of its parts."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        hint = hints[field.name]
        options = [one for one in get_args(hint) if one is not NoneType] if get_origin(hint) is UnionType else [hint]
        one = options[0]
        if get_origin(one) is Literal:
            yield prefix + field.name, get_args(one)
        elif one in (int, float):
            yield prefix + field.name, one
        elif isinstance(one, type) and is_dataclass(one):
            yield from _plain(one, f"{prefix}{field.name}.")


def with_value(recipe: Recipe, name: str, value: float | str | None) -> Recipe:
    """The recipe with one of its numbers or words changed.

    Parameters
    ----------
    recipe : Recipe
        What the others are taken from.
    name : str
        A name in `recipe_fields`.
    value : float, int, str or None
        The value; None where the field may be left out.

    Returns
    -------
    Recipe
        A new one.

    Raises
    ------
    InputError
        There is no such name, or the value is not of its type or out of its range.

    Examples
    --------
    >>> with_value(Recipe(), "relocation.every", 50).relocation.every
    50
    >>> [phase.strength for phase in with_value(Recipe(), "lambda", 0.02).phases]
    [0.002, 0.02, 0.002]
    """
    known = recipe_fields()
    if name not in known:
        hint = did_you_mean(name, known, otherwise="name one of these")
        raise InputError("no such field of a recipe", expected=", ".join(known), got=name, hint=hint)
    wanted = known[name]
    if not _fits(value, wanted):
        expected = ", ".join(wanted) if isinstance(wanted, tuple) else "a whole number" if wanted is int else "a number"
        raise InputError("a value that the field cannot have", where=name, expected=expected, got=str(value))
    if name == LAMBDA:
        return _with_lambda(recipe, float(value or 0.0))
    changed: Recipe = _replaced(recipe, name.split("."), value)
    return changed


def _fits(value: object, wanted: Kind) -> bool:
    """Whether a value is of the kind; None, for what may be left out, is left to the recipe."""
    if isinstance(wanted, tuple):
        return value in wanted
    if value is None:
        return True
    return isinstance(value, int | float) and type(value) in (int, wanted) and math.isfinite(value)


def _with_lambda(recipe: Recipe, strength: float) -> Recipe:
    greatest = max(phase.strength for phase in recipe.phases)
    if strength < 0 or greatest == 0:
        expected = "0 or more, and a recipe that charges something"
        raise InputError("a lambda that cannot be set", where=LAMBDA, expected=expected, got=str(strength))
    return replace(
        recipe,
        phases=tuple(replace(phase, strength=phase.strength / greatest * strength) for phase in recipe.phases),
    )


def _replaced(part: Any, path: list[str], value: Any) -> Any:
    """The part with the value at the end of the path."""
    name, *rest = path
    if rest:
        inner = getattr(part, name)
        if inner is None:
            hint = get_type_hints(type(part))[name]
            inner = next(one for one in get_args(hint) if one is not NoneType)()
        value = _replaced(inner, rest, value)
    return replace(part, **{name: value})
