"""Fleets: many files analysed in one call, each in a process of its own, and one page over them all."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
