"""Formulas as presentation MathML, which browsers set without any script."""

import re
import string
from html import unescape
from typing import Any
from xml.etree import ElementTree

import sympy
from sympy.printing.mathml import mathml

from ..symbolic._rounded import rounded

_FIRST = 0xE000  # of the characters that no text uses; they stand for names while sympy prints
_TIMES = "\u2062"  # invisible
_SMALL = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "omicron": "ο", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
}  # fmt: skip
# Not pi, which would read as the number.
_GREEK = {name.capitalize(): letter.upper() for name, letter in _SMALL.items()} | _SMALL | {"Pi": "Π"}


def to_mathml(expression: sympy.Basic, *, output: str = "", sign: str = "", digits: int = 6) -> str:
    """A ``<math>`` element of ``output = expression``, or of the expression alone.

    Names are set as they are, but for digits at their end, which become an index, and Greek letters written out.

    Parameters
    ----------
    expression : sympy.Basic
        Any expression.
    output : str
        Name on the left side; empty for none.
    sign : str
        Sign before the expression, where it is a term of a sum that is set in pieces; empty for none.
    digits : int
        Decimal numbers are rounded to so many digits, for reading; the JSON report has all of them.

    Returns
    -------
    str
        Presentation MathML, which browsers set without any script.

    Examples
    --------
    >>> to_mathml(sympy.Symbol("x1"), output="y").count("<msub>")
    1
    """
    short = rounded(expression, digits)
    names = sorted(short.free_symbols, key=lambda symbol: natural(str(symbol)))
    stand_ins = {symbol: sympy.Symbol(chr(_FIRST + i), real=True) for i, symbol in enumerate(names)}
    printed = _resolve(str(mathml(short.xreplace(stand_ins), printer="presentation")))
    root = ElementTree.fromstring(f"<mrow>{printed}</mrow>")
    set_as = {str(stand_in): name_mathml(str(symbol)) for symbol, stand_in in stand_ins.items()}
    _tidy(root, set_as)
    _part_words(root)
    right = ElementTree.tostring(root, encoding="unicode")
    left = f"{ElementTree.tostring(name_mathml(output), encoding='unicode')}<mo>=</mo>" if output else ""
    left += f'<mo form="infix" lspace="0" rspace="0.22em">{sign}</mo>' if sign else ""
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" displaystyle="true"><mrow>{left}{right}</mrow></math>'


def name_mathml(name: str) -> Any:
    """A name as an element: its stem, and its digits as an index.

    Parameters
    ----------
    name : str
        A variable's name.

    Returns
    -------
    xml.etree.ElementTree.Element
        ``<mi>``, or ``<msub>`` with an index.

    Examples
    --------
    >>> ElementTree.tostring(name_mathml("theta12"), encoding="unicode")
    '<msub><mi>θ</mi><mn>12</mn></msub>'
    """
    stem = name.rstrip(string.digits)
    index = name[len(stem) :]
    if not stem.strip("_"):
        stem, index = name, ""
    word = ElementTree.Element("mi")
    word.text = _GREEK.get(stem.rstrip("_"), stem.rstrip("_") if index else stem)
    if not index:
        return word
    pair = ElementTree.Element("msub")
    pair.append(word)
    ElementTree.SubElement(pair, "mn").text = index
    return pair


def natural(name: str) -> list[tuple[int, str]]:
    """A name cut into letters and numbers, so that x2 sorts before x10.

    Parameters
    ----------
    name : str
        A variable's name.

    Returns
    -------
    list of (int, str)
        A key for sorting.
    """
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in re.split(r"(\d+)", name) if piece]


def _resolve(text: str) -> str:
    """Named characters as characters, but for the three that XML itself needs."""
    return re.sub(r"&(?!lt;|gt;|amp;)#?\w+;", lambda match: unescape(match.group()), text).replace("ⅇ", "e")


def _tidy(element: Any, set_as: dict[str, Any]) -> None:
    """Put the names in, replace the ``mfenced`` of older printers, and use the true minus sign."""
    for place, child in enumerate(list(element)):
        _tidy(child, set_as)
        if child.tag == "mi" and child.text in set_as:
            element[place] = set_as[child.text]
        elif child.tag == "mfenced":
            element[place] = _fenced(child)
        elif child.tag in ("mo", "mn") and child.text:
            child.text = child.text.replace("-", "−")


def _part_words(root: Any) -> None:
    """A thin space in products of names of several letters, which would run together."""
    for row in list(root.iter()):
        for place, child in enumerate(row):
            if child.text == _TIMES and any(map(_is_word, (_edge(row[place - 1], -1), _edge(row[place + 1], 0)))):
                child.set("lspace", "0.17em")


def _edge(element: Any, end: int) -> Any:
    """What a factor ends with, or begins with: its last or first letters; of a power or an index, those of its base."""
    while len(element):
        element = element[end if element.tag == "mrow" else 0]
    return element


def _is_word(letters: Any) -> bool:
    return letters.tag == "mi" and len(letters.text or "") > 1


def _fenced(old: Any) -> Any:
    row = ElementTree.Element("mrow")
    ElementTree.SubElement(row, "mo").text = old.get("open", "(")
    for place, child in enumerate(old):
        if place:
            ElementTree.SubElement(row, "mo").text = ","
        row.append(child)
    ElementTree.SubElement(row, "mo").text = old.get("close", ")")
    return row
