"""Tasks: data, model, loss, and the parts the task is known to be made of."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
