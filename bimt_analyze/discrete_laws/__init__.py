"""Laws of classes, truth values and whole numbers: where a decision falls, and which rule gives it.

`class_formulas` writes down what a classifier weighs: the log-odds of each class as a formula, whose zeros are the
decision boundary. `find_discrete_law` finds the minimal logic of a table of truth values, and sums modulo a number;
`find_recurrence` the rule of a sequence.
"""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
