"""What a network is and where its neurons lie: the ground floor of both packages."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
