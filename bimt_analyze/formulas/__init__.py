"""Formulas: which expression explains the rows of an output, and is it the law itself?

`find_formula` searches for an expression in the task's own names, with hints from a circuit (`read_structure`) and from
its network (`structural_tests`). `verify_formula` then gives two verdicts: a word for the expression as a law of the
data (`DATA_WORDS`), with the formulas that meet the rows as well (`Rival`), and how far the network follows it
(`NETWORK_WORDS`). `divergence` says where a formula and its network differ, and `shared_parts` what
several formulas have in common. A `Formula` is written as LaTeX, numpy, torch or C.
"""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
