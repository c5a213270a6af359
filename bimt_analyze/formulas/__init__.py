"""Formulas: which expression explains the rows of an output, and is it the law itself?

`find_formula` searches for an expression in the task's own names, with hints from a circuit (`read_structure`) and from
its network (`structural_tests`). `verify_formula` then decides whether the expression is exact: by held-out rows and,
where it is known, by the truth. `divergence` says where a formula and its network differ, and `shared_parts` what
several formulas have in common. A `Formula` is written as LaTeX, numpy, torch or C.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
