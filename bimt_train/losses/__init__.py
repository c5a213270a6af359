"""The losses that networks are trained on and judged by."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
