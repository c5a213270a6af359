"""The kinds of model that can be trained by name, each with its layout."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
