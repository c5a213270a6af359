"""What is alive in a transformer, and who speaks to whom through its residual stream."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
