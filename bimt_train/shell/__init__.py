"""What the command lines of both packages share: how a command runs, its options, its help, its words."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
