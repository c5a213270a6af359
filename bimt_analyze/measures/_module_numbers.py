"""Modules by their numbers, as a reader counts them."""

from typing import Any


def from_one(plain: Any) -> Any:
    """Plain values in which modules count from 1, as a reader counts them and the report does.

    Parameters
    ----------
    plain : object
        Lists, mappings and values; numbers under ``module`` and ``representative`` count from 0.

    Returns
    -------
    object
        The values with these numbers one higher.
    """
    if isinstance(plain, list):
        return [from_one(one) for one in plain]
    if not isinstance(plain, dict):
        return plain
    return {key: value + 1 if key in ("module", "representative") else from_one(value) for key, value in plain.items()}
