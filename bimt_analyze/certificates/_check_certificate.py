"""Check a certificate, and that its network is the one of a checkpoint."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from bimt_train import InputError

from . import standalone, standalone_decisions
from .checker._box_claim import BoxClaim
from .checker._check import Checked, NoCertificate, check
from .checker._exact_fields import Refused

if TYPE_CHECKING:
    from bimt_train.checkpoints import Checkpoint


class UnprovedError(InputError):
    """A certificate that does not prove what it says, or speaks of another network.

    Parameters
    ----------
    what, where, expected, got, hint : str
        The pieces of the message, as `bimt_train.InputError` takes them.

    Examples
    --------
    >>> str(UnprovedError("not proved", got="a tree that does not cover the box"))
    'not proved: got a tree that does not cover the box'
    """


def check_certificate(source: "str | Path | bytes", *, checkpoint: "Checkpoint | str | Path | None" = None) -> Checked:
    """Check a certificate: its form, its digests, and its proof.

    Everything is proved twice: from the certificate's own proof, and anew by one short file that shares nothing with
    the search (`standalone` for a bound on a box, `standalone_decisions` for decisions). It holds only if both agree.

    Parameters
    ----------
    source : str, Path or bytes
        A file, or what is in it.
    checkpoint : Checkpoint, str or Path, optional
        The network that the certificate should speak of, or its file.

    Returns
    -------
    Checked
        What is proved; ``statement`` says it in one line.

    Raises
    ------
    InputError
        The file cannot be read, or is no certificate; `UnprovedError` where the proof does not hold, or the network
        is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.certificates import certify
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.array([[1.0, 2.0]])}, activation="relu", ranges=(-1, 1))
    >>> data = certify(checkpoint, "x1 + 2*x2", output="y1").data
    >>> check_certificate(data, checkpoint=checkpoint).claim.formula
    'x1 + 2*x2'
    >>> check_certificate(data.replace(b"2*x2", b"3*x2"))
    Traceback (most recent call last):
        ...
    bimt_analyze.certificates._check_certificate.UnprovedError: not proved: got changed since it was written: its digest
    """
    where = "" if isinstance(source, bytes) else str(source)
    try:
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
    except OSError as error:
        raise InputError("the file cannot be read", where=where, got=error.strerror or str(error)) from None
    try:
        found = check(data)
        (standalone if isinstance(found.claim, BoxClaim) else standalone_decisions).check(data)
    except NoCertificate as error:
        raise InputError("not a certificate", where=where, got=str(error)) from None
    except (Refused, standalone.Refused, standalone_decisions.Refused) as error:
        raise UnprovedError("not proved", where=where, got=str(error)) from None
    if checkpoint is not None:
        _same_network(data, found, checkpoint, where)
    return found


def _same_network(data: bytes, found: Checked, source: "Checkpoint | str | Path", where: str) -> None:
    """Refuse a certificate on another network than this one."""
    from bimt_train.checkpoints import Checkpoint, load_checkpoint

    from ._network_data import network_data

    checkpoint = source if isinstance(source, Checkpoint) else load_checkpoint(source)
    if found.claim.inputs != checkpoint.task.inputs:
        expected, got = ", ".join(checkpoint.task.inputs), ", ".join(found.claim.inputs)
        raise UnprovedError("a certificate on other inputs", where=where, expected=expected, got=got)
    said, own = json.loads(data)["network"], network_data(checkpoint.network, checkpoint.task)
    for part, value in own.items():
        if said[part] != value:
            what, expected = "a certificate on another network", f"the checkpoint's {part}"
            raise UnprovedError(what, where=where, expected=expected, got="others")
