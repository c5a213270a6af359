"""What is alive in a transformer, and which parts write what others read through its residual stream."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
