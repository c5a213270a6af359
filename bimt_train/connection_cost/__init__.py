"""The cost of connections, and the relocation of neurons that lowers it."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
