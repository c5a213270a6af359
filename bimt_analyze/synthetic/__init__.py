"""Networks whose modules are known exactly, to test audits on, and networks without any modules."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
