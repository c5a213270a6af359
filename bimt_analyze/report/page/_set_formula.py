"""Formulas as they are set in a page: long sums break between their terms, and the longest are folded."""

import sympy
from markupsafe import Markup

from ...formulas.export._mathml import to_mathml

WHOLE = 2  # terms of a sum that stand in one piece
FOLDED = 16  # terms from which a sum is folded away
WIDE = 72  # letters of a piece that is too wide for paper: there it is written as text, which breaks anywhere

_SCROLL = '<div class="{kind}" tabindex="0" role="group" aria-label="formula">{inside}</div>'
_FOLD = "<details><summary>{name}: a sum of {count} terms</summary>{inside}</details>"


def set_formula(expression: sympy.Basic, *, output: str) -> Markup:
    """A formula as an element that fits its box.

    Each term of a sum is a ``<math>`` of its own, so that a line can end before it. What is still too wide scrolls in
    its own box, and is printed as text.

    Parameters
    ----------
    expression : sympy.Basic
        Any expression.
    output : str
        The name on its left side.

    Returns
    -------
    Markup
        The element.

    Examples
    --------
    >>> a, b, c = sympy.symbols("a b c", real=True)
    >>> set_formula(a + b - c, output="y").count("<math"), set_formula(a + b, output="y").count("<math")
    (3, 1)
    """
    terms = list(expression.as_ordered_terms()) if isinstance(expression, sympy.Add) else [expression]
    if len(terms) <= WHOLE:
        terms = [expression]
    first, *rest = terms
    pieces = [to_mathml(first, output=output)]
    for term in rest:
        less = term.could_extract_minus_sign()
        pieces.append(to_mathml(-term if less else term, sign="−" if less else "+"))
    kind = "scroll terms"
    if max(len(f"{output} = {first}"), *(len(str(term)) for term in terms)) > WIDE:
        kind += " wide"
        pieces.append(str(Markup('<code class="instead">{} = {}</code>').format(output, str(expression))))
    inside = Markup(_SCROLL.format(kind=kind, inside=" ".join(pieces)))
    return Markup(_FOLD).format(name=output, count=len(terms), inside=inside) if len(terms) > FOLDED else inside
