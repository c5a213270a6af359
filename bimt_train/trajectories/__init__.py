"""Trajectories: values measured at growing times, thinned out where they are long, and smoothed."""

from ..extras import public_names

__getattr__, __dir__, __all__ = public_names(__name__, __file__)
