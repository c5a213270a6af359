"""A mapping that nobody changes, and that can be copied, pickled and sent to other processes."""

from typing import Any, Generic, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V], Generic[K, V]):
    """A dict whose entries stay as they were given.

    It takes what ``dict`` takes. ``types.MappingProxyType`` cannot be pickled, and with it neither a network nor a
    report.

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

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none, as it may change
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)
