"""Fleets: many files analysed in one call, each in a process of its own, and one page over them all."""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
