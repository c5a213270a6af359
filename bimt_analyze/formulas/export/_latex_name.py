"""Names of inputs and outputs in LaTeX."""

import sympy
from sympy.printing.latex import greek_letters_set


def latex_name(name: str) -> str:
    """A name in LaTeX, its last digits as an index.

    Parameters
    ----------
    name : str
        The name of an input or output.

    Examples
    --------
    >>> latex_name("x12"), latex_name("m_1")
    ('x_{12}', 'm_{1}')
    """
    stem = name.rstrip("0123456789").rstrip("_")
    index = name[len(stem) :].lstrip("_")
    if not stem:
        return name
    if stem.lower() in greek_letters_set:
        shown = str(sympy.latex(sympy.Symbol(stem)))
    else:
        shown = stem if len(stem) == 1 else r"\mathrm{" + stem.replace("_", r"\_") + "}"
    return f"{shown}_{{{index}}}" if index else shown
