"""Synthetic networks whose modules are known exactly, or that have none: what an audit should say is certain."""

from bimt_train.extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
