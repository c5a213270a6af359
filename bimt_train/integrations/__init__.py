"""The connection cost and relocation in training loops that are not ours; callbacks need their trainer's package."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
