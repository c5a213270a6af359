"""The compiled code, where the installation found a C compiler."""

import logging
from functools import cache
from types import ModuleType

VERSION = 2  # of the compiled code that the Python code calls

_log = logging.getLogger(__name__)


@cache
def compiled_module() -> ModuleType | None:
    """The compiled code, or None where it was not built; that is said once."""
    try:
        from . import _compiled
    except ImportError:
        _log.warning("the compiled code was not built: training takes several times as long; a C compiler mends it")
        return None
    if _compiled.VERSION != VERSION:
        _log.warning("the compiled code is of another version, so torch serves; install the package again to mend it")
        return None
    return _compiled
