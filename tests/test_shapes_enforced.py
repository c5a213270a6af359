"""What the tests' import hook enforces, on the packages and on a module that has one annotation of each kind."""

import sys
from collections.abc import Iterator
from importlib.util import module_from_spec
from types import ModuleType

import numpy as np
import pytest
import typecheck
from jaxtyping import TypeCheckError

from bimt_train.layouts import distances

SOURCE = '''
"""A module."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, no_type_check

import numpy as np
from jaxtyping import Float64

if TYPE_CHECKING:
    from nowhere import Unknown

Rows = Float64[np.ndarray, "rows"]

def types(a: int, *, b: str = "") -> int:
    return a if a > 0 else "none"

def sizes(one: Rows, two: Rows) -> Float64[np.ndarray, "rows rows"]:
    return np.outer(one, two) if one[0] > 0 else np.zeros((1, 2))

def inside(one: list[Rows] | None = None, two: Rows | None = None) -> None: ...

def calls_another(one: Rows, two: Float64[np.ndarray, "others"]) -> Float64[np.ndarray, "rows rows"]:
    sizes(two, two)
    return sizes(one, one)

def later(a: "Thing", b: "Unknown" = 3) -> None: ...

def generates(one: Rows) -> Iterator[Rows]:
    yield one
    yield "anything"

def makes(by: float = 1.0) -> Callable[[float], float]:
    def inner(a: float) -> float:
        return by * a
    return inner

def makes_for(size: int) -> tuple[Callable[..., None], type]:
    class Local: ...
    def inner(a: Float64[np.ndarray, f"{size}"], b: Local) -> None: ...
    return inner, Local

@dataclass(frozen=True)
class Thing:
    one: Rows
    two: Rows
    def method(self, a: int) -> int:
        return a
    @classmethod
    def made(cls, size: int) -> "Thing":
        return cls(np.zeros(size), np.zeros(size))
    @staticmethod
    def plain(a: int) -> int:
        return a
    @property
    def wrong(self) -> str:
        return 3

class Pair(NamedTuple):
    one: int
    def method(self, a: int) -> int:
        return a

@no_type_check
def free(a: int) -> int:
    return a
'''


@pytest.fixture
def module(tmp_path, monkeypatch) -> Iterator[ModuleType]:
    (tmp_path / "annotated_module.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = typecheck.Finder(["annotated_module"]).find_spec("annotated_module", None)
    made = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "annotated_module", made)
    spec.loader.exec_module(made)
    return made


def test_the_tests_enforce_the_shapes_in_annotations() -> None:
    with pytest.raises(TypeCheckError):
        distances(np.zeros(3), np.zeros((3, 1)))


def test_the_first_calls_of_each_test_are_checked(module) -> None:
    for _ in range(typecheck.MOST):
        module.types(1)
    assert module.types(0) == "none"  # one more: what it returns is wrong, and no longer looked at
    with pytest.raises(TypeCheckError):
        module.sizes(np.ones(2), np.ones(3))  # each function has calls of its own
    typecheck.begin_test()
    with pytest.raises(TypeCheckError):
        module.types(0)


def test_what_keeps_to_its_annotations_passes(module) -> None:
    assert module.types(1, b="b") == 1
    assert module.sizes(np.ones(2), np.ones(2)).shape == (2, 2)
    assert module.calls_another(np.ones(2), np.ones(3)).shape == (2, 2)  # each call has sizes of its own
    module.inside([np.ones(2)], np.ones(2))
    thing = module.Thing.made(2)
    assert thing.method(3) == thing.plain(3) == module.Pair(1).method(3) == 3
    module.later(thing, b="of a type that is not imported")
    assert module.makes()(2) == 2  # a whole number may stand for a float
    assert module.makes(3.0)(2.0) == 6.0 and module.makes(4.0)(2.0) == 8.0  # made in one place, each is itself
    (two, local), (three, other) = module.makes_for(2), module.makes_for(3)
    two(np.ones(2), local())
    three(np.ones(3), other())
    assert len(list(module.generates(np.ones(2)))) == 2  # what is yielded is not looked at
    assert module.free("a") == "a"
    assert module.types.__wrapped__.__name__ == module.types.__name__ == "types"


def test_modules_of_the_same_text_have_checks_of_their_own(module) -> None:
    other = module_from_spec(module.__spec__)
    module.__spec__.loader.exec_module(other)
    assert module.Thing.made(2).method(1) == other.Thing.made(2).method(1) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda module: module.types("a"),
        lambda module: module.types(1, b=2),
        lambda module: module.types(0),  # the value that it returns
        lambda module: module.sizes(np.ones(2), np.ones(3)),
        lambda module: module.sizes(np.ones(2), np.ones(2, np.float32)),
        lambda module: module.sizes(-np.ones(2), np.ones(2)),  # the shape that it returns
        lambda module: module.inside([np.ones(2)], np.ones(3)),
        lambda module: module.calls_another(np.ones(2), np.ones((3, 1))),
        lambda module: module.later(3),  # a class that is defined below it
        lambda module: module.generates(np.ones((2, 2))),  # when it is called, not when it is first asked
        lambda module: module.makes()("a"),
        lambda module: [module.makes()(a) for a in (2.0, "a")],
        lambda module: module.makes_for(3)[0](np.ones(2), module.makes_for(3)[1]()),
        lambda module: [inner(np.ones(2), kind()) for inner, kind in (module.makes_for(2), module.makes_for(3))],
        lambda module: module.Thing(np.ones(2), np.ones(3)),
        lambda module: module.Thing(one=np.ones(2), two=None),
        lambda module: module.Thing.made("a"),
        lambda module: module.Thing.plain("a"),
        lambda module: module.Thing.made(2).method("a"),
        lambda module: module.Thing.made(2).wrong,
        lambda module: module.Pair(1).method("a"),
    ],
)
def test_what_does_not_is_refused(module, wrong) -> None:
    with pytest.raises(TypeCheckError):
        wrong(module)


def test_calls_that_cannot_be_bound_stay_type_errors(module) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'two'"):
        module.sizes(np.ones(2))
