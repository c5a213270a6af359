"""Training of many seeds at once."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
