"""Tables of products: whether the targets of rows are a group's, and which representations that group has."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
