"""How to build a model again, as a value."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..registry import FILE_PREFIX
from ..showing import Shown
from ._contract import MODELS


@dataclass(frozen=True, repr=False)
class ModelSpec(Shown):
    """How to build a model again: its kind and its options, as plain JSON values.

    Attributes
    ----------
    kind : str
        A name in `MODELS`.
    options : mapping of str to object
        What the kind's class is called with, as plain JSON values.

    Examples
    --------
    >>> ModelSpec("mlp", {"widths": [4, 20, 20, 2], "activation": "silu"}).kind
    'mlp'
    """

    kind: str
    options: Mapping[str, Any]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle with the file that registers the kind, where it is a user's, so that another process knows it too."""
        place = ""
        if self.kind in MODELS:
            function = MODELS[self.kind].function
            if function.__module__.startswith(FILE_PREFIX):
                place = f"{sys.modules[function.__module__].__file__}:{function.__qualname__}"
        return _unpickled, (self.kind, dict(self.options), place)


def _unpickled(kind: str, options: Mapping[str, Any], place: str) -> ModelSpec:
    """The spec, once the user's file has been run."""
    if place and kind not in MODELS:
        MODELS[place]
    return ModelSpec(kind, options)
