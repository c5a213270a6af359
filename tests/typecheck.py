"""The import hook of the tests: every function of the packages enforces the shapes and types that it is annotated with.

It enforces what the import hook of jaxtyping with beartype enforces, in far less time: a function is made ready when it
is first called, not when it is loaded, where no annotation names a shape the call is left to beartype alone, and only
the first calls of a function in each test are checked.
"""

import ast
import dataclasses
import inspect
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import decode_source
from types import CodeType, FunctionType, ModuleType, SimpleNamespace
from typing import Any, Self, get_args, get_type_hints

from beartype import BeartypeConf, FrozenDict, beartype
from jaxtyping import AbstractArray, TypeCheckError, jaxtyped

# Methods are decorated one by one, where Self has no class to stand for. A whole number may stand for a float, as mypy
# has it too.
RULES = BeartypeConf(hint_overrides=FrozenDict({Self: Any}), is_pep484_tower=True, violation_type=TypeCheckError)
check = beartype(conf=RULES)
Checks = Callable[[FunctionType], tuple[Callable[..., Any], bool]]  # checked, and whether an annotation names a shape
CALLS: dict[int, int] = {}  # of each function since the test began
MOST = 100  # checked calls of a function in one test: a loop that calls it a million times shows nothing else
HERE = "__typecheck__"  # the name of this module in those that it instruments
MADE = "__checks__"  # and of the checks that were made for a module: (code, annotations) -> Checks


def begin_test() -> None:
    """Check every function again, `MOST` times each."""
    CALLS.clear()


def install(packages: Sequence[str]) -> None:
    """Instrument the modules of these packages, each when it is loaded."""
    sys.meta_path.insert(0, Finder(packages))


def checked(made: Any) -> Any:
    """A function that enforces its annotations, or a class whose dataclass's constructor does."""
    if not inspect.isclass(made):
        return checked_function(made)
    constructor = vars(made).get("__init__")
    if dataclasses.is_dataclass(made) and constructor is not None and not hasattr(constructor, "__wrapped__"):
        made.__init__ = checked_function(constructor)
    return made


def checked_function(function: FunctionType) -> Callable[..., Any]:
    ready: Callable[..., Any] | None = None
    place = id(function.__code__)  # which all that are made in one place of the code share

    @wraps(function)
    def called(*given: Any, **named: Any) -> Any:
        nonlocal ready
        if (calls := CALLS.get(place, 0)) == MOST:
            return function(*given, **named)
        CALLS[place] = calls + 1
        if ready is None:
            ready = function if hasattr(called, "__no_type_check__") else enforcing(function)
        return ready(*given, **named)

    return called


def enforcing(function: FunctionType) -> Callable[..., Any]:
    """The function with its checks: of what it is given, then of what it returns."""
    if inspect.isgeneratorfunction(function) or inspect.iscoroutinefunction(function):
        return jaxtyped(function, typechecker=check)  # which checks when it is called, not when it is first asked
    made: dict[tuple[CodeType, str], Checks] = function.__globals__.setdefault(MADE, {})
    place = function.__code__, repr(function.__annotations__)
    if place not in made or "<locals>" in place[1]:  # the same words for another class
        made[place] = checks(function)
    alone, shaped = made[place](function)
    if not shaped:
        return alone

    def in_scope(*given: Any, **named: Any) -> Any:
        with jaxtyped("context"):  # in which a name stands for one size
            return alone(*given, **named)

    return in_scope


def checks(function: FunctionType) -> Checks:
    """What puts checks on a function: on this one, and on each that is made anew in the same place of the code."""
    hints = {name: resolved(hint, function) for name, hint in function.__annotations__.items()}
    shaped = any(map(names_shapes, hints.values()))
    first = copied(function)
    first.__annotations__ = hints
    found = check(first)
    if found is first:  # there is nothing to check
        return lambda other: (other, shaped)
    defaults = found.__kwdefaults__  # in one of which beartype keeps the function that is checked
    assert sum(value is first for value in defaults.values()) == 1

    def of(other: FunctionType) -> tuple[Callable[..., Any], bool]:
        again = copied(found)
        again.__kwdefaults__ = {name: other if value is first else value for name, value in defaults.items()}
        return again, shaped

    return of


def copied(function: FunctionType) -> FunctionType:
    made = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    made.__kwdefaults__, made.__annotations__ = function.__kwdefaults__, function.__annotations__
    made.__qualname__, made.__module__ = function.__qualname__, function.__module__
    return made


def resolved(hint: Any, function: FunctionType) -> Any:
    """A hint without strings; what only the type checker imports may be anything."""
    try:
        found = get_type_hints(SimpleNamespace(__annotations__={"it": hint}), function.__globals__, include_extras=True)
    except Exception:
        return Any
    return found["it"]


def names_shapes(hint: Any) -> bool:
    if isinstance(hint, list):  # the parameters of a callable
        return any(map(names_shapes, hint))
    return (inspect.isclass(hint) and issubclass(hint, AbstractArray)) or any(map(names_shapes, get_args(hint)))


def decorate(node: ast.AST) -> None:
    """Put `checked` on every function, closest to it, and on every class, after the decorators that it has.

    Statements alone are walked through: no expression holds a definition that has decorators.
    """
    for part in ("body", "handlers", "orelse", "finalbody", "cases"):
        for each in getattr(node, part, ()):
            decorate(each)
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
                each.decorator_list.append(decorator(each))
            elif isinstance(each, ast.ClassDef):
                each.decorator_list.insert(0, decorator(each))


def decorator(place: ast.stmt) -> ast.expr:
    module = ast.copy_location(ast.Name(HERE, ast.Load()), place)
    return ast.copy_location(ast.Attribute(module, "checked", ast.Load()), place)


class Loader(SourceFileLoader):
    """Instruments a module; the bytecode is not kept, so that no other program comes across it."""

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:
        tree = ast.parse(decode_source(data), path)
        decorate(tree)
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)

    def path_stats(self, path: str) -> Any:
        raise OSError("no bytecode is read or written")

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[HERE] = sys.modules[__name__]
        super().exec_module(module)


class Finder(MetaPathFinder):
    """Finds the modules of some packages where they are found anyway, to be loaded in the other way."""

    def __init__(self, packages: Sequence[str]) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        found = PathFinder.find_spec(name, path, target) if name.partition(".")[0] in self.packages else None
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = Loader(name, found.loader.path)
        return found
