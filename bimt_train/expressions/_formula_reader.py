"""From text to tree: a whitelist over Python's syntax tree. The rest is refused, with the column where it stands."""

import ast
import keyword
import re
import unicodedata
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np

from .._errors import ExpressionError
from ..did_you_mean import did_you_mean
from ._formula_tree import (
    CONSTANTS,
    FUNCTIONS,
    Call,
    Constant,
    Negative,
    Node,
    Number,
    Power,
    Product,
    Sum,
    Variable,
    variables_of,
)

LONGEST_TEXT = 10_000
DEEPEST = 60
LONGEST_NUMBER = 40
LARGEST_EXPONENT = 100
# Bits of the exact value, or degree, of a power: ((1 + 1e-40)**100)**100 would fill the memory.
LARGEST_POWER = 10_000

ALLOWED = f"numbers, names, + - * / ** ( ), {', '.join(CONSTANTS)} and {' '.join(FUNCTIONS)}"

_REFUSED = {
    ast.Attribute: "an attribute (a dot after a name)",
    ast.Subscript: "an index in square brackets",
    ast.Lambda: "a lambda",
    ast.Compare: "a comparison",
    ast.BoolOp: "and / or",
    ast.IfExp: "if / else",
    ast.Tuple: "a comma",
    ast.List: "a list",
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.ListComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "text in quotes",
    ast.UnaryOp: "not or ~",
    ast.Starred: "a star before a name",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield",
}
_SIGNS = {
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.LShift: "<<",
    ast.RShift: ">>",
}


def is_variable_name(name: str) -> bool:
    """Say whether ``name`` can be a variable: a letter, then letters, digits and _.

    No word of Python and none of the language of formulas.
    """
    return (
        name.isidentifier()
        and not name.startswith("_")
        and unicodedata.normalize("NFKC", name) == name
        and not keyword.iskeyword(name)
        and name not in FUNCTIONS
        and name not in CONSTANTS
    )


def name_hint(name: str) -> str:
    """What to do about a name that cannot be a variable."""
    near = unicodedata.normalize("NFKC", name)
    for other in (near, f"{near}_"):
        if is_variable_name(other):
            return f"call it {other}"
    return "start with a letter and go on with letters, digits and _"


def read_formula(text: str) -> Node:
    """Read ``text`` into a tree, or raise an ExpressionError that says in which column it leaves the language."""
    if len(text) > LONGEST_TEXT:
        raise ExpressionError("formula too long", expected=f"at most {LONGEST_TEXT} characters", got=str(len(text)))
    return _Reader(text).read()


def shortened(text: str) -> str:
    """Cut ``text`` to at most 60 characters, for a message."""
    return text if len(text) <= 60 else text[:57] + "..."


class _Reader:
    """One text that becomes a tree, with what is needed to say in which column something stands."""

    def __init__(self, text: str) -> None:
        self.text = text
        flat = re.sub(r"\s", " ", text)
        pieces = [(piece, column) for column, piece in enumerate(flat)]
        # The bracket around the whole allows leading spaces; `^` becomes the power it is meant to be.
        written = (
            [("(", 0)] + [("**" if piece == "^" else piece, column) for piece, column in pieces] + [(")", len(text))]
        )
        self.source = "".join(piece for piece, _ in written)
        self.columns = [column for piece, column in written for _ in piece]
        self.bytes = self.source.encode("utf-8", errors="replace")

    def refuse(
        self, what: str, column: int, *, expected: str = ALLOWED, got: str = "", hint: str = ""
    ) -> ExpressionError:
        start = max(0, min(column - 20, len(self.text) - 60))
        excerpt = ("..." if start else "") + shortened(self.text[start:])
        where = f"column {column + 1} of {excerpt!r}"
        return ExpressionError(what, where=where, expected=expected, got=got, hint=hint)

    def column(self, node: ast.expr) -> int:
        return self.columns[len(self.bytes[: node.col_offset].decode("utf-8", errors="replace"))]

    def read(self) -> Node:
        self.screen()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "1if x" warns before it is refused
                body = ast.parse(self.source, mode="eval").body
        except SyntaxError as error:
            raise self.syntax(error) from None
        except (ValueError, RecursionError, MemoryError):
            raise self.refuse("formula too complex to read", 0, expected=f"at most {DEEPEST} levels") from None
        return self.node(body, 1)

    def screen(self) -> None:
        """Refuse what must not even reach Python's parser."""
        if not self.text.strip():
            raise ExpressionError("empty formula", expected=ALLOWED)
        depth = 0
        for column, piece in enumerate(self.text):
            if piece in "#\\`$?;{}" or not (piece.isprintable() or piece.isspace()) or piece == "\ufffd":
                raise self.refuse(f"character {piece!r} is not part of a formula", column)
            depth += {"(": 1, ")": -1}.get(piece, 0)
            if depth > DEEPEST:
                raise self.refuse("brackets nested too deeply", column, expected=f"at most {DEEPEST} levels")
            if depth < 0:
                raise self.refuse("a bracket is closed that was never opened", column, expected="")
        if depth > 0:
            raise self.refuse("a bracket is not closed", len(self.text) - 1, expected="")
        long = re.search(rf"(?<!\w)[0-9_.]{{{LONGEST_NUMBER + 1},}}", self.text)
        if long:
            raise self.too_long(long.start())

    def too_long(self, column: int) -> ExpressionError:
        return self.refuse("number too long", column, expected=f"at most {LONGEST_NUMBER} characters")

    def syntax(self, error: SyntaxError) -> ExpressionError:
        # Python gives columns from 1 into our bracketed source.
        column = self.columns[min(max((error.offset or 1) - 1, 0), len(self.columns) - 1)]
        column = min(column, len(self.text) - 1)
        glued = re.search(r"(?<![\w.])[\d.]+(?=[A-Za-z_])(?![eE][-+]?\d)[A-Za-z_]\w*", self.text)
        if glued:
            return self.refuse("number and name without a sign between", glued.start(), hint="write 2*x for 2x")
        for word in re.finditer(r"[A-Za-z_]\w*", self.text):
            if keyword.iskeyword(word.group()):
                hint = f"call it {word.group()}_"
                return self.refuse(f"{word.group()!r} is a word of Python", word.start(), hint=hint)
        strange = re.search(r"[^\w\s.+\-*/^()]", self.text)
        if strange:
            return self.refuse(f"character {strange.group()!r} is not part of a formula", strange.start())
        return self.refuse("not a formula", column)

    def node(self, tree: ast.expr, depth: int) -> Node:
        if depth > DEEPEST:
            raise self.refuse("nested too deeply", self.column(tree), expected=f"at most {DEEPEST} levels")
        match tree:
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.defined(Sum(*self.chain(tree, depth, (ast.Add, ast.Sub))), tree)
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return self.defined(Product(*self.chain(tree, depth, (ast.Mult, ast.Div))), tree)
            case ast.BinOp(op=ast.Pow()):
                return self.power(tree, depth)
            case ast.BinOp(op=op):
                sign = _SIGNS.get(type(op), type(op).__name__)
                raise self.refuse(f"the operator {sign} is not allowed", self.column(tree))
            case ast.UnaryOp(op=ast.UAdd()):
                return self.node(tree.operand, depth + 1)
            case ast.UnaryOp(op=ast.USub()):
                return Negative(self.node(tree.operand, depth + 1))
            case ast.Constant():
                return self.number(tree)
            case ast.Name():
                return self.name(tree)
            case ast.Call():
                return self.call(tree, depth)
        what = _REFUSED.get(type(tree), type(tree).__name__)
        raise self.refuse(f"{what} is not allowed", self.column(tree))

    def chain(
        self, tree: ast.expr, depth: int, signs: tuple[type[ast.operator], type[ast.operator]]
    ) -> tuple[tuple[Node, ...], tuple[int, ...]]:
        """Unroll ``tree``, a chain of two ``signs``, into terms and +1 or -1 for each; a long sum is then not deep.

        Python's tree of a + b + c is left-deep. The terms are read at one level below ``depth``.
        """
        found: list[tuple[ast.expr, int]] = []
        while isinstance(tree, ast.BinOp) and isinstance(tree.op, signs):
            found.append((tree.right, 1 if isinstance(tree.op, signs[0]) else -1))
            tree = tree.left
        found.append((tree, 1))
        found.reverse()
        return tuple(self.node(below, depth + 1) for below, _ in found), tuple(sign for _, sign in found)

    def power(self, tree: ast.BinOp, depth: int) -> Node:
        power = Power(self.node(tree.left, depth + 1), self.node(tree.right, depth + 1))
        if not variables_of(power.exponent):
            exponent = abs(_constant(power.exponent))
            if not exponent <= LARGEST_EXPONENT:
                got = f"{exponent:.3g}"
                raise self.refuse(
                    "power too large",
                    self.column(tree.right),
                    expected=f"at most {LARGEST_EXPONENT}",
                    got=got,
                )
            if _size(power) > LARGEST_POWER:
                raise self.refuse(
                    "powers of powers too large", self.column(tree), expected=f"at most {LARGEST_POWER} bits"
                )
        return self.defined(power, tree)

    def defined(self, node: Node, tree: ast.expr) -> Node:
        """Return ``node``, if its constants have finite real values; ``tree`` says in which column it stands."""
        if not variables_of(node):
            value = _constant(node)
            if not np.isfinite(value):
                raise self.refuse(
                    "a constant without a finite real value", self.column(tree), expected="", got=f"{value}"
                )
        elif isinstance(node, Product):
            for factor, sign in zip(node.factors, node.signs, strict=True):
                if sign < 0 and not variables_of(factor) and _constant(factor) == 0:
                    raise self.refuse("division by zero", self.column(tree), expected="")
        return node

    def number(self, tree: ast.Constant) -> Node:
        if isinstance(tree.value, str | bytes):
            raise self.refuse("text in quotes is not allowed", self.column(tree))
        if isinstance(tree.value, bool) or not isinstance(tree.value, int | float):
            raise self.refuse(f"{tree.value!r} is not allowed", self.column(tree))
        source = self.bytes[tree.col_offset : tree.end_col_offset].decode().replace("_", "")
        if len(source) > LONGEST_NUMBER:
            raise self.too_long(self.column(tree))
        digits = source.lower().split("e")[0]
        if isinstance(tree.value, float) and (tree.value == np.inf or (tree.value == 0 and re.search("[1-9]", digits))):
            raise self.refuse("number outside the range of a float", self.column(tree), expected="", got=source)
        exact = Fraction(tree.value) if isinstance(tree.value, int) else Fraction(Decimal(source))
        return Number(exact, source)

    def name(self, tree: ast.Name) -> Node:
        if tree.id in CONSTANTS:
            return Constant(tree.id)
        if tree.id in FUNCTIONS:
            raise self.refuse(f"{tree.id} needs an argument", self.column(tree), expected=f"{tree.id}(...)")
        if not is_variable_name(tree.id):
            raise self.refuse(
                f"{tree.id!r} cannot be a name",
                self.column(tree),
                expected="a letter, then letters, digits, _",
            )
        return Variable(tree.id)

    def call(self, tree: ast.Call, depth: int) -> Node:
        if not isinstance(tree.func, ast.Name):
            self.node(tree.func, depth + 1)  # says first what is wrong with it, if anything is
            raise self.refuse("no sign before a bracket", self.column(tree), hint="write 2*(x) for 2(x)")
        word = tree.func.id
        if word not in FUNCTIONS:
            hint = did_you_mean(word, FUNCTIONS, otherwise=f"for a product write {shortened(word)}*(...)")
            raise self.refuse(f"unknown function {shortened(word)!r}", self.column(tree), hint=hint)
        if len(tree.args) != 1 or tree.keywords or isinstance(tree.args[0], ast.Starred):
            hint = "write log(x)/log(10) for log(x, 10)" if word == "log" else ""
            got = str(len(tree.args) + len(tree.keywords))
            raise self.refuse(f"{word} takes one argument", self.column(tree), expected="1", got=got, hint=hint)
        return self.defined(Call(word, self.node(tree.args[0], depth + 1)), tree)


def _constant(node: Node) -> float:
    with np.errstate(all="ignore"):
        return float(node.value({}))


def _size(node: Node) -> float:
    """About how many bits the exact value takes, or its degree: powers multiply, all else adds."""
    if isinstance(node, Number):
        return float(max(1, node.exact.numerator.bit_length() + node.exact.denominator.bit_length() - 1))
    if isinstance(node, Power) and not variables_of(node.exponent):
        return _size(node.base) * max(1.0, abs(_constant(node.exponent)))
    return max(1.0, sum(_size(child) for child in node.children))
