"""The flags of the command line that are fields of `AnalysisOptions`."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

import click

from bimt_train.registry import Registry
from bimt_train.shell.options import in_group

from ..audits import MEASURES, NULL_MODELS
from ..audits.chance._statistics import STATISTICS
from ..graph import EDGE_WEIGHTS
from ..options._analysis_options import AnalysisOptions

_CHOSEN: Mapping[str, Registry[Any]] = {
    "edge_weight": EDGE_WEIGHTS,
    "null_models": NULL_MODELS,
    "statistics": STATISTICS,
    "measures": MEASURES,
}


class _Amount(click.FloatRange):
    """A number that may have its unit behind it, as 8G."""

    def __init__(self, unit: str, least: float) -> None:
        super().__init__(least)
        self._unit = unit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number: Any = value.removesuffix(self._unit) if isinstance(value, str) else value
        return super().convert(number, param, ctx)


def analysis_flags(command: Callable[..., int]) -> Callable[..., int]:
    """Add an option of the command line for every field of `AnalysisOptions` that has a flag.

    Parameters
    ----------
    command : callable
        The function of the command.

    Returns
    -------
    callable
        The function, with the options.
    """
    for option in reversed(fields(AnalysisOptions)):
        if "flag" not in option.metadata:
            continue
        about: dict[str, Any] = {"help": option.metadata["help"], "default": option.default}
        if isinstance(option.default, bool):
            about |= {"is_flag": True}
        elif isinstance(option.default, int | float):
            kind = click.IntRange if isinstance(option.default, int) else partial(_Amount, option.metadata["unit"])
            about |= {"type": kind(option.metadata["least"])}
        else:
            about |= {"metavar": "NAME", "multiple": option.name != "edge_weight", "show_default": False}
            about |= {"default": None, "names": _CHOSEN[option.name]}
        command = in_group(option.metadata["group"])(option.metadata["flag"], option.name, **about)(command)
    return command


def analysis_asked(given: dict[str, Any], *, many: bool) -> AnalysisOptions:
    """Take the options of the analysis out of those of the call.

    Parameters
    ----------
    given : dict of str to object
        What click read; loses the fields of the analysis.
    many : bool
        Whether several networks are analysed, each in a process that starts no others.

    Returns
    -------
    AnalysisOptions
        With names of files in a form that other processes understand too.

    Raises
    ------
    InputError
        A name that is not there.
    """
    defaults, changes = AnalysisOptions().to_json(), dict[str, Any]()
    for option in fields(AnalysisOptions):
        if "flag" not in option.metadata:
            continue
        value = given.pop(option.name)
        if option.name in _CHOSEN:
            value = _chosen(_CHOSEN[option.name], value, defaults[option.name])
        changes[option.name] = value
    # where checkpoints run side by side, each stays in its process
    return AnalysisOptions(**changes, processes=1 if many else None)


def _chosen(registry: Registry[Any], names: Any, default: Any) -> Any:
    """The names as other processes understand them; one that is not there is refused before the work."""
    if isinstance(names, str):
        _ = registry[names]
        return registry.reference(names)
    return default if names is None else tuple(dict.fromkeys((*default, *(_chosen(registry, n, ()) for n in names))))
