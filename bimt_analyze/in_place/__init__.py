"""A part of a torch model replaced by a formula, a circuit or a table, which can be trained on and read back.

`replace` gives a new model in which a submodule is a formula, with loss and speed before and after; `read_back` gives
the formulas of a model at their present numbers. `submodule_formulas` finds the formulas of a submodule, and
`LookupTable` tabulates one.
"""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
