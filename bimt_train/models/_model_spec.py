"""How to build a model again, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ModelSpec:
    """How to build a model again: its kind and its options, as plain JSON values."""

    kind: str
    options: Mapping[str, Any]
