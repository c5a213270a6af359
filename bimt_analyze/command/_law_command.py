"""``bimt-analyze table.csv --target y``: the law behind a table, where there is no network."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from bimt_train import InputError
from bimt_train.extras import installed
from bimt_train.tasks.tables.table_flags import TABLE_WORDS, table_options

from .._sources import WEIGHTS
from ..fleet._manifest import is_manifest
from ._saying import tell_found, telling

if TYPE_CHECKING:  # tables bring pandas, which the other calls do without
    from bimt_train.tasks import ProbeTable

    from ..discrete_laws import DiscreteLaw
    from ..formulas import Formula
    from ..grouped_laws import GroupedLaw

LAW_OPTIONS = ("groups", "form", "functions", "discrete")
"""The options that say which law, each of which makes the call one for a table."""

LAW_TAKES = frozenset(
    {"checkpoint", "target", "json", "html", "seed", "time_limit", "quiet", *LAW_OPTIONS, *TABLE_WORDS}
)
"""The parameters of the command that a law has a use for."""

_NETWORKS = (*WEIGHTS, ".safetensors", ".hdf5")  # files that hold rows seldom; --form and the like say that one does
_TEST_SHARE = 0.2
_NO_RULE = "no rule found: no sum modulo a number up to 1000, and no polynomial or recurrence of a sequence"


def is_law(given: Mapping[str, Any]) -> bool:
    """Whether a call is for the law behind a table.

    Parameters
    ----------
    given : mapping of str to object
        The options, as click read them.
    """
    sources: Sequence[Path] = given["checkpoint"]
    return any(given[name] for name in LAW_OPTIONS) or (len(sources) == 1 and _is_table(sources[0], given))


def _is_table(source: Path, given: Mapping[str, Any]) -> bool:
    """Whether a file is a table of rows: no file of weights, asked for a target of its own, or CSV and no manifest."""
    suffix = source.suffix.lower()
    if suffix in _NETWORKS or not source.is_file():
        return False
    return not is_manifest(source) if suffix == ".csv" else bool(given["target"]) and given["probe"] is None


def laws_of_table(context: click.Context) -> int:
    """Find the law of each target of the table that a call names.

    Parameters
    ----------
    context : click.Context
        The call.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    InputError
        No target, or a table that cannot be used.
    """
    from bimt_train.tasks import read_probe_table

    given: Mapping[str, Any] = context.params
    sources: Sequence[Path] = given["checkpoint"]
    asked = ", ".join(f"--{name}" for name in LAW_OPTIONS if given[name])
    if len(sources) != 1:
        raise InputError(f"{asked} is for one table", got=f"{len(sources)} sources")
    if given["discrete"] and asked != "--discrete":
        raise InputError("two kinds of laws", got=asked, hint="give --discrete alone, or leave it out")
    if not given["target"]:
        hint = "name the column of the law: --target NAME; a table of networks has a column called file"
        raise InputError("no target named", where=str(sources[0]), hint=hint)
    reading = table_options(given)
    if "sigma" in reading and (kinds := [name for name in ("groups", "discrete") if given[name]]):
        hint = "leave --sigma out"
        raise InputError("no such law counts errors of measurement", got=f"--sigma with --{kinds[0]}", hint=hint)
    table = read_probe_table(sources[0], target=given["target"], groups=given["groups"], table=reading)
    if table.classes or table.y is None:
        hint = f"train a classifier, and read that: bimt-train {sources[0]} --target {' '.join(given['target'])}"
        raise InputError("a law of texts", where=str(sources[0]), expected="a target of numbers", hint=hint)
    with telling(given["quiet"]) as tell:
        tell("searching")
        laws = {name: _law(table, place, given) for place, name in enumerate(table.outputs)}
    texts = {}
    if given["json"] is not None:
        plain = {name: None if law is None else law.to_json() for name, law in laws.items()}
        texts[given["json"]] = json.dumps(plain, indent=2) + "\n"
    if given["html"] is not None:
        from ._law_page import law_page

        texts[given["html"]] = law_page(table, laws, source=sources[0].name, nothing=_NO_RULE)
    return tell_found("\n".join(line for name, law in laws.items() for line in _lines(name, law)), texts)


def _words(text: str | None) -> tuple[str, ...] | None:
    """Names in a text, separated by commas or spaces."""
    return None if text is None else tuple(text.replace(",", " ").split())


def _law(table: "ProbeTable", place: int, given: Mapping[str, Any]) -> "GroupedLaw | Formula | DiscreteLaw | None":
    """The law of one target; None where it is sought among the discrete ones, and there is none."""
    from ..discrete_laws import find_discrete_law
    from ..formulas import Hints, PriorKnowledge, Rows, find_formula, fit_form, verify_formula
    from ..grouped_laws import find_grouped_law

    assert table.y is not None
    y, output, seed = np.ascontiguousarray(table.y[:, place]), table.outputs[place], given["seed"]
    about: dict[str, Any] = {"names": table.inputs, "output": output}
    if given["discrete"]:
        return find_discrete_law(table.x, y, **about)
    about |= {"time_limit": given["time_limit"], "seed": seed}
    form, prior = given["form"], PriorKnowledge(functions=_words(given["functions"]))
    if table.groups:
        return find_grouped_law(table.x, y, table.groups, form=form, prior=prior, **about)
    sigma = None if table.sigma is None else np.ascontiguousarray(table.sigma[:, place])
    order = np.random.default_rng(seed).permutation(len(y))
    held, searched = np.split(order, [round(_TEST_SHARE * len(order))])
    test, train = (Rows(table.x[some], y[some], None if sigma is None else sigma[some]) for some in (held, searched))
    about |= {"sigma": train.sigma}
    if form is None:
        units = table.units if table.units and installed("pint") else None
        found = find_formula(train.x, train.y, prior=prior, hints=Hints(units=units), **about)
    else:
        found = fit_form(form, train.x, train.y, **about)
    ranges = list(zip(table.x.min(axis=0).tolist(), table.x.max(axis=0).tolist(), strict=True))
    return verify_formula(found, test=test, train=train, truth=None, ranges=ranges, seed=seed)


def _lines(name: str, law: "GroupedLaw | Formula | DiscreteLaw | None") -> list[str]:
    from ..grouped_laws import GroupedLaw

    if law is None:
        return [f"{name}: {_NO_RULE}"]
    lines, message = [str(law), f"  {law.verdict()}"], getattr(law, "message", "")  # a discrete law has none
    if message not in law.verdict():
        verification = getattr(law, "verification", None)
        lines.append(f"  {message if verification is None else verification.statement}")
    if isinstance(law, GroupedLaw):
        lines += [f"  {one.words()}" for one in law.groups]
    return lines
