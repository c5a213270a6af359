"""One line of explanation for each number of a report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_ARI = "adjusted Rand index: pairs of neurons judged alike, corrected for chance; 1 is equal, 0 is chance"
_AMI = "adjusted mutual information: what one grouping tells of the other; 1 is equal, 0 is chance"
_OVER = {"ends": "inputs and outputs", "hidden": "hidden neurons, each by the subfunction that it serves"}
_AGAINST = {
    "matched": "the modules against the known level that they fit best",
    "flat": "the modules against the task's flat grouping",
    "best": "the best pair of any found and any known level, chosen with a look at the truth",
}

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "score": "the headline: the smaller of dependencies.f1 and the adjusted mutual information of matched",
        "dependencies.precision": "of the output-input pairs that a path joins, the share that is known to depend",
        "dependencies.recall": "of the output-input pairs known to depend, the share that a path joins",
        "dependencies.f1": "precision and recall in one number, their harmonic mean",
        "leak": "share of the squared gradients from inputs to outputs that should not depend on them; 0 is clean",
        "p": "the headline: how often a network without structure looks as modular, over all tests made",
        "input_groups_p": "of tables in random order, the share with groups of inputs as good",
        "output_groups_p": "of tables in random order, the share with as many equal outputs",
        "wiring_p": "of networks with the same degrees and weights, the share as specialised",
        "z": "how many deviations of the null networks the circuit lies above their mean",
        "observed": "specialisation of the circuit: bits by which neurons of a layer differ in inputs and outputs",
        "null_mean": "mean of the statistic over null networks, which keep every neuron's degrees and weights",
        "null_deviation": "standard deviation of the statistic over null networks",
        "samples": "null networks drawn",
    }
    | {
        f"{level}.{over}.{name}": f"{against}, over {neurons}; {score}"
        for level, against in _AGAINST.items()
        for over, neurons in _OVER.items()
        for name, score in (("ari", _ARI), ("ami", _AMI))
    }
)


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes
    ----------
    name : str
        The quantity.
    value : object
        Its value.
    meaning : str
        What the quantity means, in one line.
    """

    name: str
    value: Any
    meaning: str


def agreement_rows(plain: Mapping[str, Any]) -> tuple[Row, ...]:
    """The scores that have a value. Of levels that are equal, only the matched one is told.

    Parameters
    ----------
    plain : mapping
        The ``agreement`` of report.json.

    Returns
    -------
    tuple of Row
        One row a score.
    """
    told = {name: plain.get(name) for name in ("score", "dependencies", "matched", "flat", "best", "leak")}
    rows = [
        Row(name, value, MEANINGS[name])
        for name, value in _numbers({k: v for k, v in told.items() if k == "matched" or v != told["matched"]})
    ]
    for fit in plain.get("subfunctions") or ():
        name, module = fit["subfunction"], fit["module"]
        meaning = f"the module nearest to the known subfunction {name} is {module}: F1 of the inputs that reach it"
        rows.append(Row(f"subfunctions.{name}", fit["f1"], meaning))
    return tuple(rows)


def significance_rows(plain: Mapping[str, Any]) -> tuple[Row, ...]:
    """The quantities of the test of significance; none where nothing was tested.

    Parameters
    ----------
    plain : mapping
        The ``significance`` of report.json.

    Returns
    -------
    tuple of Row
        One row a quantity.
    """
    known = (Row(name, value, MEANINGS[name]) for name, value in _numbers(plain) if name in MEANINGS)
    return tuple(known) if plain.get("p") is not None else ()


def _numbers(plain: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in plain.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{path}{name}.")
        elif isinstance(value, bool | int | float):
            yield path + name, value
