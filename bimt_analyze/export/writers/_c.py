"""C99 without dependencies: one function a module, compiled by whoever uses it."""

from .._formats import EXPORT_FORMATS
from .._parts import Facts, Parts, Run, Written
from .._said import said_of
from ._c_compiled import compiled
from ._c_file import c_source

_SMALL = 1500  # weights; written out, more would take a compiler long and fill the cache of code


def variants(parts: Parts) -> tuple[str, ...]:
    """How matrices lie in the file: sparse first, which is taken where no compiler tells which is faster."""
    return ("sparse", "dense", "unrolled") if parts.whole.multiply_adds <= _SMALL else ("sparse", "dense")


def load(data: bytes, parts: Parts) -> Run | None:
    """Compile the file, if there is a compiler."""
    return compiled(data.decode("utf-8"), parts.name, len(parts.whole.outputs))


def pack(variant: str, parts: Parts, facts: Facts) -> Written:
    """The source, with what is known of it at its top."""
    source = c_source(parts.modules, parts.whole, name=parts.name, storage=variant, said=said_of(parts, facts))
    return Written(source.text.encode("utf-8"), source.bytes)


@EXPORT_FORMATS.register(
    "c",
    label="C",
    sentence="C99 in one file that needs <math.h> alone, a function a module, for any compiler.",
    ending=".c",
    variants=variants,
    pack=pack,
    load=load,
    runs_in="this machine's C compiler",
)
def build(parts: Parts, variant: str) -> str:
    """Nothing yet: a source is written in one go."""
    return variant
