"""The columns of a table that somebody chose: their names, and which of them are inputs and targets."""

from collections.abc import Sequence

from ..._errors import TaskError
from ...checkpoints._units_in_names import split_unit
from ...did_you_mean import did_you_mean
from ._faults import Fault, Spot, clipped, listed
from .column_names import safe_names


def distinct_labels(labels: Sequence[str], where: str) -> tuple[tuple[str, ...], dict[str, Fault]]:
    """One label a column, all different, and the fault of each that had to be made up.

    A column without a name is called ``column3``, by its place; the second of two ``a`` is called ``a.2``.

    Parameters
    ----------
    labels : sequence of str
        The row of names.
    where : str
        What messages call the table.

    Returns
    -------
    labels : tuple of str
        Labels that can be asked for.
    faults : dict of str to Fault
        The fault of each label that the table does not have.

    Raises
    ------
    TaskError
        There are no columns, or the row of names holds numbers.

    Examples
    --------
    >>> distinct_labels(["", "a", "a"], "t.csv")[0]
    ('column1', 'a', 'a.2')
    """
    if not labels:
        raise TaskError("a table without columns", where=where)
    if all(_is_number(label) for label in labels):
        got = listed([clipped(label) for label in labels])
        raise TaskError("numbers where names belong", where=f"{where}, first row", got=got, hint="add a row of names")
    taken, found, faults = set(labels), list[str](), dict[str, Fault]()
    for at, label in enumerate(labels):
        if label.strip() and label not in found:
            found.append(label)
            continue
        number, stem = (at + 1, "column") if not label.strip() else (2, f"{label}.")
        while f"{stem}{number}" in taken:
            number += 1
        name = f"{stem}{number}"
        taken.add(name)
        found.append(name)
        what = "a duplicated column name" if label.strip() else "a column without a name"
        got = f"column {at + 1}, called {clipped(name)!r} here"
        if label.strip():
            got = f"columns {list(labels).index(label) + 1} and {at + 1}, which is called {clipped(name)!r} here"
        faults[name] = Fault(
            what, (Spot(label, got),), "names that differ", mends=(("--skip", name),), advice="name it"
        )
    return tuple(found), faults


def choose_columns(
    labels: Sequence[str],
    targets: Sequence[str],
    inputs: Sequence[str] | None,
    where: str,
    skip: Sequence[str] = (),
    errors: Sequence[str] = (),
    *,
    apart: Sequence[str] | None = None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of inputs and targets, once all names are known to be there and each has one part to play.

    A column may be asked for by its label, or by its label without the unit, or by its name in formulas.

    Parameters
    ----------
    labels : sequence of str
        The table's columns.
    targets : sequence of str
        The columns to predict.
    inputs : sequence of str or None
        The columns to predict from; None takes all others.
    where : str
        What messages call the table.
    skip : sequence of str
        Columns to leave out.
    errors : sequence of str
        The labels of columns of standard errors, which are no inputs.
    apart : sequence of str, optional
        Labels that are neither inputs nor targets, where there may be no targets; None where targets are needed.

    Returns
    -------
    features : tuple of str
        The labels of the inputs.
    targets : tuple of str
        The labels of the targets.

    Raises
    ------
    TaskError
        A name is not there, is given twice, or is both; or nothing is left.
    """
    if not targets and apart is None:
        got = f"columns {', '.join(map(clipped, labels))}"
        raise TaskError("no target named", where=where, got=got, hint="name one: --target NAME")
    if inputs is not None and skip:
        got = f"--skip {' '.join(skip)}"
        raise TaskError("inputs and columns to skip", where=where, got=got, hint="give one of --inputs and --skip")
    asked: dict[str, tuple[str, ...]] = {}
    for role, wanted in (("target", targets), ("input", inputs or ()), ("skipped", skip)):
        found = [named(name, labels, role, where) for name in wanted]
        twice = [label for label in found if found.count(label) > 1]
        if twice:
            raise TaskError(f"a column is named twice as {role}", where=f"{where}, column {twice[0]!r}")
        asked[role] = tuple(found)
    both = [label for label in asked["target"] if label in asked["input"] or label in asked["skipped"]]
    if both:
        other = "input" if both[0] in asked["input"] else "skipped"
        hint = "leave it out of one"
        raise TaskError(f"a column is both {other} and target", where=f"{where}, column {both[0]!r}", hint=hint)
    if both := [label for label in errors if any(label in asked[role] for role in ("target", "input"))]:
        where, hint = f"{where}, column {both[0]!r}", "leave it out of one"
        raise TaskError("a column of errors is a target or an input too", where=where, hint=hint)
    out = {*asked["target"], *asked["skipped"], *errors, *(apart or ())}
    every = labels if inputs is None else asked["input"]
    features = tuple(label for label in every if label not in out)
    if not features:
        raise TaskError("no column is left to learn from", where=where, hint="name fewer targets, or add inputs")
    return features, asked["target"]


def error_columns(labels: Sequence[str], names: Sequence[str], targets: Sequence[str], where: str) -> tuple[str, ...]:
    """The labels of the columns of standard errors, one for each target, or none.

    Parameters
    ----------
    labels : sequence of str
        The table's columns.
    names : sequence of str
        What the columns of errors are called, as `named` reads it.
    targets : sequence of str
        The columns to predict.
    where : str
        What messages call the table.

    Raises
    ------
    TaskError
        A name is not there, or there are not as many as targets.
    """
    if names and len(names) != len(targets):
        expected = f"{len(targets)}, one for each target in their order"
        got = f"--sigma {' '.join(names)}"
        raise TaskError("errors do not fit the targets", where=where, expected=expected, got=got)
    return tuple(named(name, labels, "error", where) for name in names)


def named(name: str, labels: Sequence[str], role: str, where: str) -> str:
    """The label that a name means.

    Parameters
    ----------
    name : str
        A label, a label without its unit, or what the column is called in formulas.
    labels : sequence of str
        The table's columns.
    role : str
        What the column is wanted for, as a word before "column".
    where : str
        What messages call the table.

    Returns
    -------
    str
        The label.

    Raises
    ------
    TaskError
        No column is meant, or several are.

    Examples
    --------
    >>> named("v", ["v [m/s]", "T (K)"], "target", "t.csv"), named("T_K", ["v [m/s]", "T (K)"], "target", "t.csv")
    ('v [m/s]', 'T (K)')
    """
    if name in labels:
        return name
    near = [label for label in labels if name == split_unit(label, any_unit=True)[0]]
    near = near or [label for label, safe in zip(labels, safe_names(labels), strict=True) if safe == name]
    if len(near) == 1:
        return near[0]
    hint = did_you_mean(repr(name), map(repr, labels))  # a label may have spaces
    expected = "one of " + ", ".join(repr(clipped(label)) for label in labels)
    raise TaskError(f"no such {role} column", where=where, expected=expected, got=repr(name), hint=hint)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
