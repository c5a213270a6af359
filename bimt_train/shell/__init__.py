"""What the command lines of both packages share: how a command runs, its options, its help, its words."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
