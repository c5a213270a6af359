"""Turns of phrase that the sentences of several measures share."""

from typing import Any

from ..audits import LEVEL, Significance


def count_at_least(test: Significance) -> str:
    """How many null networks reach the observed value, as ``3 of 200``.

    Parameters
    ----------
    test : Significance
        The test.

    Returns
    -------
    str
        The count, and out of how many.
    """
    at_least = round(test.p * (1 + len(test.null))) - 1
    return f"{at_least} of {len(test.null)}"


def p_and_z(test: Significance) -> str:
    """The p-value and, where there is one, z of a test, as ``p = 0.005, z = 4.1``.

    Parameters
    ----------
    test : Significance
        The test.

    Returns
    -------
    str
        The two numbers.
    """
    z = "" if test.z is None else f", z = {test.z:.1f}"
    return f"p = {test.p:.2g}{z}"


def rare(test: Significance) -> str:
    """Whether a test shows more than chance, in words.

    Parameters
    ----------
    test : Significance
        The test.

    Returns
    -------
    str
        The words.
    """
    return "more than chance" if test.p < LEVEL else "not shown to be more than chance"


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
