"""The one kind of registry: entries with a name, a label and a sentence, built in, installed, or in a user's file."""

import importlib
import importlib.util
import sys
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar

from ._errors import InputError
from .did_you_mean import did_you_mean
from .extras import explained

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What every entry of a registry says of itself.

    Attributes
    ----------
    name : str
        The word by which the entry is chosen, from Python and on the command line.
    label : str
        A few words for tables, pictures and reports.
    sentence : str
        One sentence that says what the entry does, for ``--help`` and the docs.
    function : callable
        The function or class itself.

    Examples
    --------
    >>> def red() -> str:
    ...     return "#ff0000"
    >>> Entry(name="red", label="red", sentence="Paints in red.", function=red).label
    'red'
    """

    name: str
    label: str
    sentence: str
    function: Callable[..., Any]


E = TypeVar("E", bound=Entry)

FILE_PREFIX = "bimt_file_"  # of the names of modules that are files of the user


class Registry(Generic[E]):
    """All entries of one kind, each found by its name, by ``file.py:NAME`` or by ``package.module:NAME``.

    An entry comes from one of four places: a module of this project, which is imported when the entry is first asked
    for; an installed package that declares an entry point; the decorator `register` in code that has been imported;
    or a file that the user names.

    Parameters
    ----------
    kind : str
        What one entry is called in messages, for instance ``"edge weight"``.
    entry : type
        The subclass of `Entry` that all entries have.
    builtin : mapping of str to str
        Name -> the module of this project whose import registers the entry.
    group : str
        The group of entry points, for instance ``"bimt.edge_weights"``.
    unlisted : collection of str
        Names among ``builtin`` that are found but not offered: what nobody can choose, as a reader makes it.

    Examples
    --------
    >>> colours = Registry("colour", Entry, builtin={}, group="bimt.colours")
    >>> @colours.register("red", label="red", sentence="Paints in red.")
    ... def red() -> str:
    ...     return "#ff0000"
    >>> colours.names()
    ('red',)
    >>> colours["red"].function()
    '#ff0000'
    """

    def __init__(
        self, kind: str, entry: type[E], *, builtin: Mapping[str, str], group: str, unlisted: Collection[str] = ()
    ) -> None:
        self.kind, self.group, self._unlisted = kind, group, frozenset(unlisted)
        self._type, self._builtin = entry, dict(builtin)
        self._found: dict[str, E] = {}
        self._points: dict[str, Any] | None = None

    def register(self, name: str, *, label: str, sentence: str, **fields: Any) -> Callable[[Function], Function]:
        """Decorate a function or class as an entry; it is returned as it is.

        Parameters
        ----------
        name : str
            The word by which the entry is chosen.
        label : str
            A few words for tables, pictures and reports.
        sentence : str
            One sentence that says what the entry does.
        **fields
            What the registry's own type of entry asks for besides.

        Returns
        -------
        callable
            The decorator.

        Raises
        ------
        InputError
            A field is missing, empty or strange, or another entry has this name.
        """

        def decorate(function: Function) -> Function:
            try:
                entry = self._type(name=name, label=label, sentence=sentence, function=function, **fields)
            except TypeError as error:
                raise InputError(f"a half-registered {self.kind}", where=repr(name), got=str(error)) from None
            for field in ("name", "label", "sentence"):
                if not str(getattr(entry, field)).strip():
                    raise InputError(f"a half-registered {self.kind}", where=repr(name), expected=f"a {field}")
            self._add(entry)
            return function

        return decorate

    def _add(self, entry: E) -> None:
        if entry.name in self._builtin:
            importlib.import_module(self._builtin[entry.name])  # what is built in keeps its name
        standing = self._found.get(entry.name)
        if standing is not None and _origin(standing) != _origin(entry):
            raise InputError(
                "one name for two entries",
                where=f"{self.kind} {entry.name!r}",
                got=f"{_origin(standing)}, {_origin(entry)}",
                hint="rename one of them",
            )
        self._found[entry.name] = entry

    def names(self) -> tuple[str, ...]:
        """The names that can be chosen: built in, then installed, then registered."""
        known = dict.fromkeys((*self._builtin, *self._installed(), *self._found))
        return tuple(name for name in known if name not in self._unlisted)

    def entries(self) -> tuple[E, ...]:
        """Every entry, in the order of `names`."""
        return tuple(self[name] for name in self.names())

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self._found or name in self._builtin or name in self._installed()

    def __getitem__(self, name: str) -> E:
        """The entry of this name, or at this place (``file.py:NAME``, ``package.module:NAME``).

        Raises
        ------
        InputError
            There is none, with the names that are known.
        """
        if name in self._found:
            return self._found[name]
        if name in self._builtin:
            try:
                importlib.import_module(self._builtin[name])
            except ModuleNotFoundError as error:
                raise explained(error, f"the {self.kind} {name}") from error
            if name not in self._found:
                raise InputError(f"a half-registered {self.kind}", where=self._builtin[name], expected=repr(name))
            return self._found[name]
        installed = self._installed()
        if name in installed:
            return self._as_entry(installed[name].load(), name)
        if ":" in name:
            return self._as_entry(load_object(name), name)
        raise InputError(
            f"unknown {self.kind}",
            expected=f"{', '.join(self.names())}, or file.py:NAME",
            got=repr(name),
            hint=did_you_mean(name, self.names(), otherwise="name one of these"),
        )

    def reference(self, name: str) -> str:
        """The name in a form that means the same in another process and another folder.

        Parameters
        ----------
        name : str
            As `__getitem__` takes it.

        Returns
        -------
        str
            The name, or ``/whole/path/file.py:NAME`` of an entry in a file.
        """
        file, colon, last = name.rpartition(":")
        return f"{Path(file).resolve()}:{last}" if colon and file.endswith(".py") and name not in self._found else name

    def from_object(self, found: object) -> E | None:
        """The entry that an object is, or that it was registered as; None if it is neither.

        Parameters
        ----------
        found : object
            What a file or module holds under the name.

        Returns
        -------
        Entry or None
            The entry.
        """
        if isinstance(found, self._type):
            return found
        return next((entry for entry in self._found.values() if entry.function is found), None)

    def _as_entry(self, found: object, name: str) -> E:
        entry = self.from_object(found)
        if entry is None:
            raise InputError(
                f"no {self.kind}", where=name, expected="a function or class with the registry's decorator",
                got=type(found).__name__, hint="help(bimt_train.Registry.register) says how one is made",
            )  # fmt: skip
        return entry

    def _installed(self) -> dict[str, Any]:
        if self._points is None:  # what is installed stays so, and looking through all packages takes long
            self._points = {point.name: point for point in entry_points(group=self.group)}
        return self._points


def load_object(place: str) -> Any:
    """The object at ``file.py:NAME`` or ``package.module:NAME``. A file is run, so name only files that you trust.

    Parameters
    ----------
    place : str
        A path or module, a colon, and a name in it.

    Returns
    -------
    object
        What the name stands for.

    Raises
    ------
    InputError
        The file or module is not there, cannot be imported, or has no such name.

    Examples
    --------
    >>> load_object("math:tau") > 6
    True
    """
    file, _, name = place.rpartition(":")
    module = load_file(file) if file.endswith(".py") else _imported(file, place)
    if not hasattr(module, name):
        public = [one for one in vars(module) if not one.startswith("_")]
        hint = did_you_mean(name, public)
        raise InputError("no such name in the file", where=place, expected=", ".join(public[-12:]), got=name, hint=hint)
    return getattr(module, name)


def load_file(path: str | Path) -> ModuleType:
    """Run a Python file once and return it as a module; a second call returns the same module.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    module
        Its names.

    Raises
    ------
    InputError
        The file is not there, or it raises an error.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise InputError("no such file", where=str(path), hint="correct the path")
    name = f"{FILE_PREFIX}{file.stem}_{zlib.crc32(str(file).encode()):x}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except InputError:
        del sys.modules[name]
        raise
    except Exception as error:  # whatever a user's file raises is told in one line
        del sys.modules[name]
        got = f"{type(error).__name__}: {error}"
        raise InputError("a file that cannot be run", where=str(path), got=got, hint=f"python {path}") from error
    return module


def loaded_files() -> tuple[ModuleType, ...]:
    """The modules that `load_file` has run, which another process cannot import by their names.

    Returns
    -------
    tuple of module
        In the order in which they were run.
    """
    return tuple(module for name, module in sys.modules.items() if name.startswith(FILE_PREFIX))


def _imported(module: str, place: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except (ImportError, ValueError) as error:
        expected = "file.py:NAME or package.module:NAME"
        raise InputError("a module that cannot be imported", where=place, expected=expected, got=str(error)) from None


def _origin(entry: Entry) -> str:
    function = entry.function
    return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', type(function).__name__)}"
