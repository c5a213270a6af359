"""One law, many data sets: a form that all groups of rows share, with constants of its own in each group.

`find_grouped_law` searches for it and decides of every constant whether it is shared or each group's own; a
`GroupedLaw` says what it found, and names the groups that do not follow it.
"""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
