"""What the records of report.json share: strict fields, and numbers that may be missing."""

import math
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

Number: TypeAlias = float | None


class Record(BaseModel):
    """Fields are what they say, and no others are there."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class OpenRecord(BaseModel):
    """These fields are there; later versions may add more."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, frozen=True)


def finite(value: Any) -> Any:
    """A plain value with null for every number that is not finite.

    Parameters
    ----------
    value : object
        Mappings, lists and plain values.

    Returns
    -------
    object
        The value, without NaN and infinity.

    Examples
    --------
    >>> finite({"r2": float("nan"), "edges": [1, 2]})
    {'r2': None, 'edges': [1, 2]}
    """
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
