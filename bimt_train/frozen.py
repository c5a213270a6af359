"""A mapping that nobody changes, and that can be copied, pickled and sent to other processes."""

from typing import Any, Generic, NoReturn, TypeVar

from .showing import LINE, cut, short

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V], Generic[K, V]):
    """A dict whose entries stay as they were given.

    It takes what ``dict`` takes. Arrays in it are compared entry by entry. ``types.MappingProxyType`` cannot be
    pickled, and with it neither a network nor a report.

    Examples
    --------
    >>> import copy, pickle
    >>> frozen = FrozenDict({"a": 1})
    >>> pickle.loads(pickle.dumps(frozen)) == copy.deepcopy(frozen) == {"a": 1}
    True
    >>> frozen["a"] = 2
    Traceback (most recent call last):
        ...
    TypeError: a frozen mapping cannot be changed
    """

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a frozen mapping cannot be changed")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, dict):
            return NotImplemented
        return self.keys() == other.keys() and all(_equal(value, other[key]) for key, value in self.items())

    __ne__ = object.__ne__  # a dict's own would compare arrays
    __hash__ = None

    def __repr__(self) -> str:
        """Of many or long entries, or of arrays, the first three, each in a few characters."""
        whole = "" if any(hasattr(value, "shape") for value in self.values()) else dict.__repr__(self)
        return whole if 0 < len(whole) <= LINE else cut(short(self), LINE)

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


def _equal(one: Any, other: Any) -> bool:
    if hasattr(one, "shape") and hasattr(other, "shape"):
        return bool(one.shape == other.shape and (one == other).all())
    return bool(one is other or (not hasattr(one, "shape") and not hasattr(other, "shape") and one == other))
