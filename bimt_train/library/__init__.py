"""A library of modules: small networks found in one network and used in the next, each a file of its own."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
