"""Names for columns: what can stand in a formula, and be read back by sympy, for whatever the user called them."""

import importlib
import re
import unicodedata
from collections.abc import Sequence

from ...expressions._formula_reader import is_variable_name


def safe_names(labels: Sequence[str]) -> tuple[str, ...]:
    """One variable name a label, all different; a label that is a good name already keeps it.

    Everything but letters, digits and underscores becomes one underscore, a name that would not start with a letter
    gets ``x_`` before it, and what means something in a formula or in sympy (pi, exp, E, I, S, gamma) an underscore
    after it. Names that would still collide are numbered.

    Parameters
    ----------
    labels : sequence of str
        What the columns are called.

    Returns
    -------
    tuple of str
        One name for each label.

    Examples
    --------
    >>> safe_names(["mass (kg)", "2nd", "pi", "x1", "mass [kg]", "%"])
    ('mass_kg', 'x_2nd', 'pi_', 'x1', 'mass_kg_2', 'x_6')
    """
    taken = {label for label in labels if _is_free(label)}
    found = []
    for at, label in enumerate(labels):
        name = label
        if not _is_free(label):
            plain = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", label)).strip("_")
            name = plain if plain[:1].isalpha() else f"x_{plain or at + 1}"
            if not _is_free(name):
                name += "_"
            stem, number = name.rstrip("_"), 2
            while name in taken or not _is_free(name):
                name, number = f"{stem}_{number}", number + 1
            taken.add(name)
        found.append(name)
    return tuple(found)


def _is_free(name: str) -> bool:
    # Loaded on use: a table is the only task that needs sympy to be named.
    return is_variable_name(name) and not hasattr(importlib.import_module("sympy"), name)
