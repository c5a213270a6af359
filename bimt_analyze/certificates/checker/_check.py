"""Check a certificate with numpy alone; nothing of the search that made it is used."""

import json
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Any

import numpy as np

from ._box_claim import BoxClaim
from ._evaluate import Unreadable
from ._exact_fields import Refused, canonical, digest, fields, must
from ._values_claim import ValuesClaim

FORMAT = "bimt certificate 1"
FIELDS = ("format", "made_by", "claim", "network", "network_digest", "proof", "digest")


class NoCertificate(Refused):
    """A file that is no certificate of this format at all."""


@dataclass(frozen=True, eq=False)
class Checked:
    """What a certificate was found to prove.

    Attributes
    ----------
    claim : BoxClaim or ValuesClaim
        The statement, with its network.
    statement : str
        What is proved, in one line.
    deviation : float or None
        The formula's standard deviation over the box.
    made_by : str
        A remark on the versions that wrote it; nothing depends on it.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.certificates import certify_decisions, check_certificate
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.array([[2.0, -1.0]])}, activation="relu", ranges=(0, 1))
    >>> data = certify_decisions(checkpoint, "x1 > x2 - 1", output="y1", values=[(1, 2), (0, 1)]).data
    >>> check_certificate(data).statement
    'proved: y1 > 0 is as said by (x1 > x2 - 1) at all 4 points, by a margin of 0.9999 or more'
    """

    claim: BoxClaim | ValuesClaim
    statement: str
    deviation: float | None
    made_by: str

    def __repr__(self) -> str:
        return f"Checked({self.statement[:180]})"


def read(data: bytes) -> dict[str, Any]:
    """The JSON of a certificate, its form and both digests checked, its proof not.

    Parameters
    ----------
    data : bytes
        The file.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise NoCertificate("no JSON") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise NoCertificate(f"no certificate of the format {FORMAT!r}")
    fields(found, FIELDS, "certificate")
    try:
        must(canonical(found) == data, "JSON that is written in another way")
    except (ValueError, RecursionError):  # NaN
        raise Refused("JSON that is written in another way") from None
    must(
        digest({key: found[key] for key in FIELDS[:-1]}) == found["digest"], "changed since it was written: its digest"
    )
    must(digest(found["network"]) == found["network_digest"], "a network with another digest")
    must(isinstance(found["made_by"], str) and len(found["made_by"]) < 200, "made_by is no short text")
    return found


def check(data: bytes) -> Checked:
    """Check a certificate.

    Parameters
    ----------
    data : bytes
        Its file.

    Returns
    -------
    Checked
        What is proved.

    Raises
    ------
    Refused
        It does not prove what it says; `NoCertificate` where it is none.
    """
    found = read(data)
    try:
        with np.errstate(all="ignore"):
            if isinstance(found["claim"], dict) and "values" in found["claim"]:
                decisions = ValuesClaim.of(found["claim"], found["network"])
                count = decisions.check(found["proof"])
                return Checked(decisions, _of_values(decisions, count), None, found["made_by"])
            bound = BoxClaim.of(found["claim"], found["network"])
            deviation = bound.check(found["proof"])
            return Checked(bound, _of_box(bound, deviation), deviation, found["made_by"])
    except (Unreadable, RecursionError) as error:
        raise Refused(str(error)) from None


def _of_box(claim: BoxClaim, deviation: float) -> str:
    box = ", ".join(f"{a:g} <= {name} <= {b:g}" for name, a, b in zip(claim.inputs, claim.low, claim.high, strict=True))
    place = ", ".join(f"{name} = {x:g}" for name, x in zip(claim.inputs, claim.point, strict=True))
    share = f"{100 * claim.bound / deviation:.2g} % of its deviation, " if deviation > 0 else ""
    return (
        f"proved: |network - ({claim.formula})| <= {_above(claim.bound)} for all {box} "
        f"({share}{claim.mean:.2g} on average; {_below(claim.reached)} or more at {place})"
    )


def _of_values(claim: ValuesClaim, count: int) -> str:
    said = claim.formula if len(claim.formula) < 80 else f"{claim.formula[:77]}..."
    what = f"{claim.output} > {claim.threshold:g}" if claim.output else "the largest output"
    return f"proved: {what} is as said by ({said}) at all {count} points, by a margin of {_below(claim.margin)} or more"


def _above(number: float) -> str:
    """Four digits, rounded up."""
    return f"{float(Context(4, ROUND_CEILING).create_decimal_from_float(number)):g}"


def _below(number: float) -> str:
    """Four digits, rounded down."""
    return f"{float(Context(4, ROUND_FLOOR).create_decimal_from_float(number)):g}"
