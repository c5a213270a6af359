"""A file of C around the code of modules."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from bimt_train.shell.words import few_names

from .._compact_network import CompactNetwork
from ..c_code._module_code import WIDE, ModuleCode, for_rows, in_lines
from ..c_code._products import whole_type

_TEMPLATE = Path(__file__).with_name("circuit.c.jinja")
_STACK = 2_000_000  # bytes of numbers that a block of rows may take there
_MOST_LANES = 16
_TURNS = {"FIRST": (0, 4, 1, 5), "LAST": (2, 6, 3, 7), "LOW": (0, 1, 4, 5), "HIGH": (2, 3, 6, 7)}  # of two fours


@dataclass(frozen=True)
class CSource:
    """A file of C, and how much of it is numbers.

    Attributes
    ----------
    text : str
        The file.
    bytes : int
        Of weights, biases and indices.
    """

    text: str
    bytes: int


def c_source(
    modules: Sequence[CompactNetwork], whole: CompactNetwork, *, name: str, storage: str, said: str
) -> CSource:
    """The C99 source of ``void name(const float *x, float *y, size_t rows)``, which needs <math.h> alone.

    Parameters
    ----------
    modules : sequence of CompactNetwork
        Each becomes a function; together they give what ``whole`` gives.
    whole : CompactNetwork
        The network, which says what is read and given.
    name : str
        The function's name.
    storage : str
        A name in `STORAGES`.
    said : str
        What the comment at the top says.

    Returns
    -------
    CSource
        The source.
    """
    index = whole_type(max(whole.columns, len(whole.places)))
    codes = [_code(f"{name}_{number}", module, storage) for number, module in enumerate(modules, start=1)]
    many = max(code.columns for code in codes) * 4 * WIDE * _MOST_LANES < _STACK
    versions = (True, False) if many else (False,)
    shown, numbers = [], list(whole.reads)
    for code, module in zip(codes, modules, strict=True):
        reads = [] if module.reads == whole.reads else [whole.reads.index(column) for column in module.reads]
        places = [] if module.places == whole.places else [whole.places.index(place) for place in module.places]
        numbers += [*reads, *places]
        shown.append(_shown(code, module, versions) | {"reads": reads, "places": places})
    used = dict(pair for code in codes for pair in code.helpers.items())
    text = _template().render(
        said=_comment(said), wide=WIDE, many=many, index=index, name=name, modules=shown, reads=list(whole.reads),
        helpers=_helpers(list(used.values()), versions),
        outputs=len(whole.places), all_columns=whole.columns, braced=_braced,
        turns=_TURNS, in_lanes=_in_lanes, part=_part,
    )  # fmt: skip
    return CSource(text, sum(code.bytes for code in codes) + len(numbers) * (int(index[4:-2]) // 8))


def _code(name: str, module: CompactNetwork, storage: str) -> ModuleCode:
    code = ModuleCode(name, len(module.reads), storage)
    for layer in module.layers:
        layer.to_c(code)
    return code


def _shown(code: ModuleCode, module: CompactNetwork, versions: Sequence[bool]) -> dict[str, Any]:
    """What the template says of a module."""
    return {
        "name": code.name,
        "said": _comment(f"{few_names(module.outputs)} from {few_names(module.inputs)}"),
        "arrays": "\n".join(code.declared),
        "inputs": len(module.reads),
        "outputs": len(module.places),
        "last": code.reads,
        "versions": [
            {
                "ending": for_rows("@of", many=many),
                "lane": for_rows("@lane", many=many),
                "wide": WIDE if many else 1,
                "rows": for_rows("@rows", many=many),
                "statements": [for_rows(line, many=many) for line in code.statements],
            }
            for many in versions
        ],
    }


def _helpers(sources: Sequence[str], versions: Sequence[bool]) -> list[str]:
    """Functions of the file's own: those of rows for each version, the others once."""
    return list(dict.fromkeys(for_rows(source, many=many) for source in sources for many in versions))


def _comment(text: str) -> str:
    """Text that neither ends a comment nor begins another."""
    return text.replace("*/", "* /").replace("/*", "/ *")


def _template() -> Any:
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))


def _braced(numbers: Sequence[int]) -> str:
    return "{" + in_lines([str(number) for number in numbers]) + "}"


def _in_lanes(order: Sequence[int], lanes: int) -> str:
    """The numbers that shuffle each four of a register, and the same four of another, in this order."""
    return ", ".join(str(i + k if i < 4 else i - 4 + k + lanes) for k in range(0, lanes, 4) for i in order)


def _part(lanes: int, row: int = 0) -> str:
    """A register of four numbers of each fourth row, from memory."""
    if lanes == 4:
        return f"(*(const four *)((x) + {row} * (s)))" if row else "(*(const four *)(x))"
    halves = (_part(lanes // 2, row), _part(lanes // 2, row + lanes // 2))
    return f"MIX({', '.join(halves)}, {', '.join(map(str, range(lanes)))})"
