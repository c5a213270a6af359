"""Synthetic networks whose modules are known exactly, or that have none: what an audit should say is certain."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
