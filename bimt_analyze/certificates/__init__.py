"""Certificates: proofs of how far a network may lie from a formula, as files that an independent checker reads."""

import lazy_loader as lazy

# without bimt_train, of which the checker of certificates imports nothing
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
