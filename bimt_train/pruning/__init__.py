"""Pruning a network to the circuit that does its task."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
