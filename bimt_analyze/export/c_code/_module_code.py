"""The code of one module, while it is being written."""

import re
from collections.abc import Sequence

import numpy as np

from ._activation_code import activation_in_c
from ._products import STORAGES, Matrix, Vector, number

WIDE = 2  # registers of numbers side by side, which is how many rows go together


class ModuleCode:
    """Collects arrays, helpers and statements. A statement stands for two: one of many rows at once, one of a single.

    In statements and helpers, ``@lane`` is the type of numbers (one for each row, or a single one), ``@wide`` how many
    of them there are of each neuron, ``@of`` the ending of functions' names, ``@rows`` the rows of a block, and
    ``@each{...}`` is repeated with ``#`` in turn 0, 1, ... below ``@wide``.

    Parameters
    ----------
    name : str
        What all names of the module begin with.
    inputs : int
        Numbers that it reads.
    storage : str
        A name in `STORAGES`, for all matrices.
    """

    def __init__(self, name: str, inputs: int, storage: str) -> None:
        self.name, self.storage = name, storage
        self.reads, self.width = "h0", inputs
        self.columns = inputs  # of all values, which take room on the stack
        self.bytes = 0
        self.helpers: dict[str, str] = {}
        self.declared: list[str] = []
        self.statements: list[str] = []

    def helper(self, name: str, source: str) -> None:
        """Ask for a function of the file's own by its ``name`` and its ``source``; the first source of a name stays."""
        self.helpers.setdefault(name, source)

    def say(self, statement: str) -> None:
        """Add a statement."""
        self.statements.append(statement)

    def array(self, what: str, values: np.ndarray | None, kind: str = "float") -> str:
        """Declare constants of a ``kind`` of number, called by ``what``; their name, or NULL without ``values``."""
        if values is None:
            return "NULL"
        name = f"{self.name}_{what}{len(self.declared)}"
        flat = values.ravel()
        words = [number(value) for value in flat] if kind == "float" else [str(int(value)) for value in flat]
        self.bytes += len(flat) * (4 if kind == "float" else int(re.sub(r"\D", "", kind)) // 8)
        self.declared.append(f"static const {kind} {name}[] = {{{in_lines(words or ['0'])}}};")
        return name

    def value(self, width: int) -> str:
        """Declare ``width`` numbers of each row that are to be computed; their name."""
        name = f"h{self.columns}"
        self.columns += width
        self.say(f"@lane {name}[{width}][@wide];")
        return name

    def product(self, weight: Matrix, bias: Vector | None, source: str, target: str) -> None:
        """``target = weight source + bias``; added to the target where there is no bias."""
        STORAGES[self.storage](self, weight, bias, source, target)

    def activate(self, name: str, target: str, width: int) -> None:
        """Apply the activation of a ``name`` to the ``width`` numbers of ``target``, in place."""
        function, helpers = activation_in_c(name)
        for helper, source in helpers.items():
            self.helper(helper, source)
        if function:
            self.say(f"{function}((float *){target}, {width} * @rows);")

    def gives(self, target: str, width: int) -> None:
        """Say that the next layer reads the ``width`` numbers of ``target``."""
        self.reads, self.width = target, width


def for_rows(text: str, *, many: bool) -> str:
    """Statements or helpers as they are for a block of rows, or for a single row.

    Parameters
    ----------
    text : str
        With the words that `ModuleCode` explains.
    many : bool
        Whether for a block.

    Returns
    -------
    str
        Plain C.
    """
    wide = WIDE if many else 1
    text = re.sub(
        r"@each\{(.*?)\}$",
        lambda found: " ".join(found[1].replace("#", str(index)) for index in range(wide)),
        text,
        flags=re.MULTILINE,
    )
    words = {"@lane": "lanes" if many else "float", "@wide": str(wide), "@of": "_block" if many else "_row"}
    for word, plain in {**words, "@rows": "ROWS" if many else "1"}.items():
        text = text.replace(word, plain)
    return text


def in_lines(words: Sequence[str]) -> str:
    """The ``words`` with commas, in lines of a usual length."""
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 116:
            lines.append(line)
            line = ""
        line += f"{word}, "
    return "\n".join([*lines, line]).rstrip(", ")
