"""The registry of rules: what each operator demands of the labels."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch

from ._call import Rule
from ._moves import MOVES
from ._sums import SUMS, elementwise, overwritten

RULES: Mapping[str, Rule] = MappingProxyType(
    {**MOVES, **SUMS, "copy": overwritten, **dict.fromkeys(("where", "masked_fill"), elementwise)}
)


def rule_for(operator: Any) -> Rule | None:
    """Return the rule of an ATen operator, or None; torch marks those that are elementwise."""
    name = operator.overloadpacket.__name__ if hasattr(operator, "overloadpacket") else ""
    return RULES.get(name) or (elementwise if torch.Tag.pointwise in getattr(operator, "tags", ()) else None)
