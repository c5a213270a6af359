"""A certificate as a value: the bytes of its file."""

import importlib.metadata
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bimt_train import InputError
from bimt_train.showing import Shown
from bimt_train.whole_files import write_whole

from .checker._check import FIELDS, FORMAT, read
from .checker._exact_fields import Refused, canonical, digest, number


@dataclass(frozen=True, repr=False)
class Certificate(Shown):
    """A statement on a network, with the network and a proof. `check_certificate` says whether the proof holds.

    Attributes
    ----------
    data : bytes
        The file: JSON in ASCII.
    complete : bool
        Whether the search reached what was asked of it; else ``bound`` is the smallest that it proved in its time. A
        file does not say it.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.certificates import certify, check_certificate
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.array([[1.0, 2.0]])}, activation="relu", ranges=(-1, 1))
    >>> certificate = certify(checkpoint, "x1 + 2*x2 + 0.1*x1**2", output="y1")
    >>> certificate.formula, certificate.reached <= 0.1 <= certificate.bound
    ('x1 + 2*x2 + 0.1*x1**2', True)
    >>> check_certificate(certificate.data).statement[:40]
    'proved: |network - (x1 + 2*x2 + 0.1*x1**'
    """

    data: bytes
    complete: bool = True

    @classmethod
    def of(
        cls, claim: dict[str, Any], network: dict[str, Any], proof: dict[str, Any], *, complete: bool
    ) -> "Certificate":
        """Write the file's text, with its digests.

        Parameters
        ----------
        claim, network, proof : dict
            The statement, the layers and the proof as plain JSON, as `checker` reads them.
        complete : bool
            Whether the search ended by itself, and not because its time was up.
        """
        versions = {name: importlib.metadata.version(name) for name in ("bimt", "numpy")}
        said = {
            "format": FORMAT,
            "made_by": ", ".join(f"{name} {version}" for name, version in versions.items()),
            "claim": claim,
            "network": network,
            "network_digest": digest(network),
            "proof": proof,
        }
        assert tuple(said) == FIELDS[:-1]
        return cls(canonical(said | {"digest": digest(said)}), complete)

    @classmethod
    def load(cls, path: str | Path) -> "Certificate":
        """Read a file. Its form and its digests are checked, its proof is not.

        Parameters
        ----------
        path : str or Path
            What `save` wrote.

        Raises
        ------
        InputError
            There is no such file, or it is no certificate, or was changed.
        """
        try:
            data = Path(path).read_bytes()
            read(data)
        except OSError as error:
            raise InputError("the file cannot be read", where=str(path), got=error.strerror or str(error)) from None
        except Refused as error:
            raise InputError("no valid certificate", where=str(path), got=str(error)) from None
        return cls(data)

    def save(self, path: str | Path) -> None:
        """Write the file.

        Parameters
        ----------
        path : str or Path
            Usually with the ending ``.json``.
        """
        write_whole(path, self.data)

    @cached_property
    def _said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.data)
        return found

    @property
    def formula(self) -> str:
        """The text of the formula."""
        return str(self._said["claim"]["formula"])

    @property
    def output(self) -> str | None:
        """The name of the output; None where the largest of all decides."""
        name: str | None = self._said["claim"]["output"]
        return name

    @property
    def bound(self) -> float | None:
        """What |network - formula| is at most; None for decisions."""
        return _number_of(self._said["claim"], "bound")

    @property
    def mean(self) -> float | None:
        """The mean of |network - formula| on 4096 fixed points; None for decisions."""
        return _number_of(self._said["claim"], "mean")

    @property
    def reached(self) -> float | None:
        """What |network - formula| is at least, at ``point``; None for decisions."""
        return _number_of(self._said["claim"], "reached")

    @property
    def margin(self) -> float | None:
        """By how much each decision wins at least; None for bounds."""
        return _number_of(self._said["claim"], "margin")

    @property
    def leaves(self) -> int:
        """How many parts the proof has, or at how many points the decisions are tried."""
        proof = self._said["proof"]
        return int(proof["leaves"] if "leaves" in proof else proof["points"])

    @property
    def point(self) -> dict[str, float] | None:
        """Where ``reached`` is reached; None for decisions."""
        claim = self._said["claim"]
        if "point" not in claim:
            return None
        places = map(float.fromhex, claim["point"].split())
        return dict(zip(claim["inputs"], places, strict=True))


def _number_of(claim: dict[str, Any], name: str) -> float | None:
    return number(claim[name]) if name in claim else None
