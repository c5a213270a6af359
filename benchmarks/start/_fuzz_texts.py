"""Formulas and tables as nobody should write them, and some that somebody may."""

import gzip
import io
import random
import zipfile
from collections.abc import Callable

import numpy as np

TOKENS = (
    "x1", "x2", "y", "x", "+", "-", "*", "/", "**", "^", "(", ")", "(", ")", "sin", "exp", "log", "sqrt", "pi", "1",
    "0", "2.5", "1e308", "1e-320", "1e400", "abs", "tan", "=", " ", "lambda", "__import__", ".", "[", "]", '"', "'",
    ",", ":", "E", "I", "e", "∞", "π", "x²", "½", "−", "\u202e", "\x00", "\n", "if", "0x10", "1_0", "1j", "nan",
    "inf", "100", "99999", "!", "%", "//", "<", "~", "@", "max", "Abs", "sign", "acos", "gamma", "x.__class__", "é",
    "9**9**9", "**-1", "Mod",
)  # fmt: skip
WHOLE = (
    "y = " + "(" * 5000 + "x", "y = " + "(" * 90 + "x" + ")" * 90, "y = " + "-" * 5000 + "x",
    "y = " + "x+" * 4000 + "x", "y = " + "x*" * 4000 + "x", "y = x" + "**2" * 55, "y = 2**2**2**2**2*x",
    "y = ((x+1)**100)**100", "y = 9**99**99*x", "y = x**(9**9**9)", "y = exp(exp(exp(exp(x))))",
    "y = __import__('os').system('touch bimt_was_run')", "y = ().__class__", "y = x if x else 1", "y = [x]",
    "y=x\ny=x", "y = 1", "y=", "=x", "y==x", "y = y", "pi = x", "sin = x", "lambda = x", "y = lambda", "y = x-x",
    "y = sin(x)**2+cos(x)**2", "y = log(x)", "y = 1/x", "y = 1e-300*x", "y = 1/(x-x)", "x_" * 6000,
    "y = " + "a" * 9000, "y = " + " + ".join(f"x{i}" for i in range(800)),
    "y = " + "*".join(f"(x{i}+1)" for i in range(200)), "y = (-8)**(1/3)*x", "y = x**100000", "y = tan(1e300*x)",
    "y = 1e400*x",
)  # fmt: skip
CELLS = (
    "1e400", "-1e400", "inf", "nan", "NA", "", "1" * 400, "1" * 5000, "2020-01-01", "12:30", "true", "yes", "1,5",
    '"1,5"', "1.5.2", "$5", "5%", "0x1F", "1_000", "1e", "١٢", "½", "−1", "1 000", '"', "\x00", "NaT", "None", "#N/A",
    "=1+1", "<script>", "\u200b1", "1d5", "+5", "1j", "1e308", "1e-320", "9" * 20, "-0",
)  # fmt: skip
NAMES = (
    "__class__", "<script>alert(1)</script>", "lambda", "x" * 5000, 'os.system("x")', "{{7*7}}",
    "$\\input{/etc/passwd}$", "../../x", "y = 3", " ", "", "pi", "nan", "1", "E1", "π", "日本", "🧠", "\u202eabc",
    "a\tb", "\\", "None", "del", "%s%n", "y", "a\nb", "sin", "x1", "target", "x=1",
)  # fmt: skip
ENCODINGS = ("utf-8",) * 12 + ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp037")


def formula(draw: random.Random) -> str:
    """A text that is meant as a formula."""
    kind = draw.random()
    if kind < 0.1:
        return draw.choice(WHOLE)
    if kind < 0.6:
        return "y = " * (draw.random() < 0.7) + "".join(draw.choice(TOKENS) for _ in range(draw.randrange(1, 14)))
    return "y = " + _expression(draw, draw.randrange(1, 6))


def _expression(draw: random.Random, depth: int) -> str:
    if depth == 0:
        return draw.choice(("x1", "x2", "x3", "2", "pi", "0.5", "1e-9", "0", "1e10"))
    inner, kind = _expression(draw, depth - 1), draw.randrange(4)
    if kind == 0:
        return f"({inner} {draw.choice('+-*/')} {_expression(draw, depth - 1)})"
    if kind == 1:
        return f"{draw.choice(('sin', 'cos', 'exp', 'log', 'sqrt', 'abs', 'tanh', 'tan'))}({inner})"
    if kind == 2:
        return (
            f"({inner})**{draw.choice(('2', '3', '-1', '0.5', '100', '-100', '(1/3)', _expression(draw, depth - 1)))}"
        )
    return f"-{inner}"


def table(draw: random.Random) -> bytes:
    """A file that is meant as a table of the columns a, b and y, in some encoding, with something wrong or odd."""
    numbers = np.random.default_rng(draw.randrange(2**32)).uniform(1, 2, (draw.choice((3, 9, 10, 40, 40, 40, 40)), 2))
    cells = [["a", "b", "y"], *([str(a), str(b), str(a * b)] for a, b in numbers)]
    for _ in range(draw.choice((0, 1, 1, 1, 2, 3))):
        cells = draw.choice(_CHANGES)(cells, draw)
    between = draw.choice((",",) * 12 + (";", "\t", "|", " ", ", "))
    end = draw.choice(("\n",) * 8 + ("\r\n", "\r", "\n\n"))
    text = end.join(between.join(row) for row in cells) + end * draw.randrange(2)
    data = text.encode(draw.choice(ENCODINGS), "replace")
    damage = draw.random()
    if damage < 0.1:
        data = data[: draw.randrange(len(data) + 1)]
    elif damage < 0.2:
        data = bytes(byte ^ (draw.random() < 0.02) * 64 for byte in data)
    elif damage < 0.24:
        data = draw.choice(
            (gzip.compress(data), _zipped(data), draw.randbytes(3000), b"", b"\n\n\n", data.replace(b"\n", b"\0\n"))
        )
    return data


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", data)
    return buffer.getvalue()


Cells = list[list[str]]


def _one_cell(cells: Cells, draw: random.Random) -> Cells:
    row = draw.randrange(len(cells))
    return [[*line[:1], draw.choice(CELLS), *line[2:]] if k == row else line for k, line in enumerate(cells)]


def _one_column(cells: Cells, draw: random.Random) -> Cells:
    column, cell = draw.randrange(3), draw.choice(CELLS)
    return [line if k == 0 else [*line[:column], cell, *line[column + 1 :]] for k, line in enumerate(cells)]


def _scaled(cells: Cells, draw: random.Random) -> Cells:
    column, factor = draw.randrange(3), draw.choice((1e300, 1e-310, 1e15, 0.0, 1e-16, -1.0))

    def cell(text: str) -> str:
        try:
            return repr(float(text) * factor)
        except ValueError:
            return text

    return [line[:column] + [cell(text) for text in line[column : column + 1]] + line[column + 1 :] for line in cells]


def _renamed(cells: Cells, draw: random.Random) -> Cells:
    column, name = draw.randrange(3), draw.choice(NAMES)
    return [[*cells[0][:column], name, *cells[0][column + 1 :]], *cells[1:]]


def _ragged(cells: Cells, draw: random.Random) -> Cells:
    row = draw.randrange(len(cells))
    return [(line[:-1] if draw.random() < 0.5 else [*line, "1"]) if k == row else line for k, line in enumerate(cells)]


def _quoted(cells: Cells, draw: random.Random) -> Cells:
    row, mark = draw.randrange(len(cells)), draw.choice(('"', "'", "# ", "\u00a0"))
    return [[mark + line[0], *line[1:]] if k == row and line else line for k, line in enumerate(cells)]


def _more_lines(cells: Cells, draw: random.Random) -> Cells:
    new = draw.choice(([""], ["# a comment"], ["a", "b", "y"], ["m", "s", "kg"], ["1" * 200_000]))
    place = draw.randrange(len(cells) + 1)
    return [*cells[:place], new, *cells[place:]]


def _no_names(cells: Cells, draw: random.Random) -> Cells:
    return cells[1:] or cells


_CHANGES: tuple[Callable[[Cells, random.Random], Cells], ...] = (
    _one_cell, _one_cell, _one_cell, _one_column, _scaled, _renamed, _renamed, _ragged, _quoted, _more_lines, _no_names,
)  # fmt: skip
