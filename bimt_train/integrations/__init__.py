"""The connection cost and relocation in training loops that are not ours; callbacks need their trainer's package."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
