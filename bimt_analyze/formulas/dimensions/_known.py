"""What is known of the units of a table's columns."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bimt_train import InputError

from ._dimension import Dimension, dimension_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """The dimension of each input whose unit is known, and of the output.

    Attributes
    ----------
    inputs : mapping of str to Dimension
        Name of an input -> its dimension.
    output : Dimension
        Of y.
    """

    inputs: Mapping[str, Dimension]
    output: Dimension


def known_units(units: Mapping[str, str], names: Sequence[str], output: str) -> Known | None:
    """What units say; None where y's is not known. A unit that cannot be read is told, and counts as not given.

    Parameters
    ----------
    units : mapping of str to str
        Name -> unit, of inputs and of the output.
    names : sequence of str
        The inputs.
    output : str
        The output's name.

    Raises
    ------
    InputError
        Units for names that are not among the columns.
    MissingExtra
        Pint is not installed.
    """
    strange = sorted(set(units) - {*names, output})
    if strange:
        raise InputError(
            "units of unknown columns", where=f"units of {output!r}", got=", ".join(strange),
            expected=f"names among {sorted({*names, output})}", hint="give units by the names of inputs and output",
        )  # fmt: skip
    found = {}
    for name, unit in units.items():
        try:
            found[name] = dimension_of(unit)
        except InputError as error:
            if isinstance(error, ImportError):
                raise
            _log.warning("the unit of %r is left out of account: %s", name, error)
    target = found.pop(output, None)
    return None if target is None else Known(found, target)
