"""Reuse: modules that compute the same function become one, and modules become files for other networks."""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
