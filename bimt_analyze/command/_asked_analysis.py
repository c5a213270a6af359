"""What a call asks of networks, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bimt_train import InputError
from bimt_train.tasks.tables.table_flags import table_options

from .._jobs import FORMATS
from ..audits import MEASURES
from ..options._analysis_options import AnalysisOptions
from ..options._sampling import Sampling
from ..report import Requirement
from ._analysis_flags import analysis_asked


@dataclass(frozen=True)
class Asked:
    """The options for networks, as click read them; the help texts say what each word means."""

    checkpoint: tuple[Path, ...]
    out: Path | None
    time_budget: float | None
    html: Path | None
    json: Path | None
    markdown: Path | None
    view: Path | None
    film: Path | None
    graph: Path | None
    export: Path | None
    apart: bool
    certify: Path | None
    require: tuple[str, ...]
    every: bool
    front: bool
    dask: str | None
    dry_run: bool
    quiet: bool
    sampling: Sampling
    analysis: AnalysisOptions

    @property
    def formats(self) -> tuple[str, ...]:
        """The forms of the report that are written."""
        return tuple(name for name in FORMATS if getattr(self, name) is not None)

    @property
    def reports(self) -> list[Path]:
        """Where these are written."""
        return [getattr(self, name) for name in self.formats]


def sampling_asked(given: Mapping[str, Any]) -> Sampling:
    """What a file of weights does not say of itself.

    Parameters
    ----------
    given : mapping of str to object
        The options, as click read them.
    """
    plain = {one.name: given[one.name] for one in fields(Sampling) if one.name != "table"}
    return Sampling(**plain, table=table_options(given))


def asked_of(given: Mapping[str, Any], *, many: bool) -> Asked:
    """What a call asks of networks. What cannot be is said here, before the work.

    Parameters
    ----------
    given : mapping of str to object
        The options, as click read them.
    many : bool
        Whether the call is for several networks.

    Returns
    -------
    Asked
        The options as one value.

    Raises
    ------
    InputError
        A name that is not there, or a requirement that cannot be read.
    """
    analysis = analysis_asked(dict(given), many=many or bool(given["dask"]))
    plain = {one.name: given[one.name] for one in fields(Asked) if one.name not in ("sampling", "analysis")}
    for text in given["require"]:
        wanted = Requirement.parse(text)
        wanted.check_field([*MEASURES, *(MEASURES[name].name for name in analysis.measures)])
        if wanted.field.partition(".")[0] == "audit" and not analysis.audit:
            raise InputError("a requirement on an audit", where=repr(text), got="no --audit", hint="add --audit")
    if given["apart"] and given["export"] is None:
        raise InputError("--apart is for an export", got="no --export", hint="add --export circuit.c")
    return Asked(**plain, sampling=sampling_asked(given), analysis=analysis)
