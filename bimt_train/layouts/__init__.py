"""Where neurons are: groups, patterns, layouts, placements, and the layout certificate."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
