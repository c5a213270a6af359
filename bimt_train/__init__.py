"""Brain-Inspired Modular Training: sparse, local, modular networks (arXiv 2305.08746)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
