"""Reading trained networks: circuits, graphs, modules, formulas, audits."""

import logging

import lazy_loader

# without bimt_train, of which the checker of certificates imports nothing
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

logging.getLogger(__name__).addHandler(logging.NullHandler())  # what is shown is for the program to decide
