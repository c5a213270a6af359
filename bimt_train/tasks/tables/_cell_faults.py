"""What is wrong with the cells of the columns that are used."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool

from ._faults import Fault, Spot, clipped
from .cells._column_reading import ColumnReading
from .table_options import TableOptions

LEAST_ROWS = 10
MOST_CATEGORIES = 20
_FEW_WORDS = 5
_NUMBERS = "numbers"
_FILL = "drop these rows, or fill them in (impute) first"
_ENCODE = "drop these columns, choose others as inputs, or encode them as numbers"

Readings = Mapping[str, ColumnReading]


def cell_faults(
    readings: Readings, targets: Sequence[str], options: TableOptions, *, least_rows: int = LEAST_ROWS
) -> list[Fault]:
    """The faults of cells: no numbers, dates, marks that do not tell, missing and infinite values.

    Parameters
    ----------
    readings : mapping of str to ColumnReading
        The columns that are used.
    targets : sequence of str
        Those of them that are to be predicted.
    options : TableOptions
        What is done about faults.
    least_rows : int
        How many rows must be left.

    Returns
    -------
    list of Fault
        One of each kind.
    """
    empty = {label for label, column in readings.items() if column.missing.all()}
    rest = {label: column for label, column in readings.items() if label not in empty}
    bad = _lacking(rest, targets, options)
    skipped = worst_columns(bad, targets, least_rows)
    drop = () if skipped is None else ("--drop-missing", *(("--skip", *skipped) if skipped else ()))
    found = [_empty(empty, readings, targets), *_decimals(rest), *_dates(rest, targets, options)]
    found += _texts(rest, targets, options, drop)
    found += _too_few(bad, skipped, least_rows) if options.drop_missing else _missing(rest, bad, targets, drop)
    return [fault for fault in found if fault is not None]


def _lacking(readings: Readings, targets: Sequence[str], options: TableOptions) -> dict[str, Bool[np.ndarray, " rows"]]:
    """The rows of each column that lack a value, and that nothing fills in."""
    filled = (
        set() if options.impute is None else {k for k, v in readings.items() if k not in targets and not v.holds_texts}
    )
    return {label: column.lacking for label, column in readings.items() if label not in filled and column.lacking.any()}


def _too_few(
    bad: Mapping[str, Bool[np.ndarray, " rows"]], skipped: tuple[str, ...] | None, least_rows: int
) -> list[Fault | None]:
    """Whether too few rows are left once those that lack a value are dropped."""
    whole = ~np.any(list(bad.values()), axis=0) if bad else np.ones(least_rows, dtype=bool)
    if whole.sum() >= least_rows:
        return []
    mends = (("--skip", *skipped),) if skipped else ()
    got = f"{whole.sum()} of {len(whole)} that lack no value"
    return [Fault("too few rows", (), f"at least {least_rows}", got, mends, "fill in what is missing")]


def _empty(labels: set[str], readings: Readings, targets: Sequence[str]) -> Fault | None:
    spots = [Spot(label, "", 1, len(readings[label].cells)) for label in readings if label in labels]
    return _fault("columns without values", spots, targets, advice="leave them out")


def _fault(
    what: str, spots: Sequence[Spot], targets: Sequence[str], *mends: tuple[str, ...], advice: str, skip: bool = True
) -> Fault | None:
    """A fault, if it is anywhere; columns that are no targets can always be left out."""
    if not spots:
        return None
    inputs = [spot.column for spot in spots if spot.column not in targets]
    every = (*mends, ("--skip", *inputs)) if skip and len(inputs) == len(spots) else mends
    if not every:
        advice = f"name another target, or {advice}"
    return Fault(what, tuple(spots), _NUMBERS, mends=every, advice=advice)


def _spot(label: str, column: ColumnReading, bad: Bool[np.ndarray, " rows"]) -> Spot:
    row = int(np.flatnonzero(bad)[0])
    return Spot(label, repr(clipped(str(column.cells[row]))), row + 1, int(bad.sum()))


def _decimals(readings: Readings) -> list[Fault | None]:
    spots = [_spot(label, column, column.strange) for label, column in readings.items() if column.decimals]
    mends = (("--decimal", "comma"), ("--decimal", "point"))
    return [
        _fault("commas that may be decimal marks or thousands separators", spots, (), *mends,
               advice="write the numbers with points", skip=False)
    ]  # fmt: skip


def _dates(readings: Readings, targets: Sequence[str], options: TableOptions) -> list[Fault | None]:
    dates = [_spot(label, column, ~column.absent) for label, column in readings.items() if column.dates is not None]
    unclear = [_spot(label, column, column.strange) for label, column in readings.items() if column.unclear_dates]
    return [
        _fault("dates", [] if options.dates else dates, targets, ("--dates", "days"), advice=_ENCODE),
        _fault("dates whose day and month cannot be told apart", unclear, targets, advice="write them as 2020-12-31"),
    ]


def _texts(
    readings: Readings, targets: Sequence[str], options: TableOptions, drop: tuple[str, ...]
) -> list[Fault | None]:
    """Texts that could be categories, texts that are too many, and words between numbers."""
    few, many, same, stray, words = [], [], [], [], dict[str, None]()
    for label, column in readings.items():
        if not column.holds_texts:
            continue
        spot = _spot(label, column, column.strange)
        said = {column.texts[row] for row in np.flatnonzero(column.strange)}
        if column.mostly_numbers and len(said) <= _FEW_WORDS and drop:
            stray.append(spot)
            words |= dict.fromkeys(sorted(said))
        elif len(categories_of(column)) == 1:
            same.append(Spot(label, f"always {clipped(next(iter(said)))!r}"))
        elif column.mostly_numbers or len(categories_of(column)) > MOST_CATEGORIES or _shared(label, targets):
            many.append(spot)
        elif options.categories is None:
            few.append(spot)
    what = "values that are no numbers"
    return [
        _fault(
            what, few, (), ("--categories", "one-hot"), advice=_ENCODE, skip=not {s.column for s in few} & {*targets}
        ),
        _fault(f"{what}, of many kinds" if few else what, many, targets, advice=_ENCODE),
        _fault("a constant column of text", same, targets, advice=_ENCODE),
        _fault("words between numbers", stray, targets, ("--missing", *words, *drop), advice=_ENCODE),
    ]


def _shared(label: str, targets: Sequence[str]) -> bool:
    """Whether texts are one target of several, so that they cannot be classes."""
    return label in targets and len(targets) > 1


def categories_of(column: ColumnReading) -> tuple[str, ...]:
    """The different texts of a column, in alphabetical order.

    Parameters
    ----------
    column : ColumnReading
        The column.

    Returns
    -------
    tuple of str
        The texts of cells that are not missing.
    """
    return tuple(sorted({text for text in column.texts if text}))


def _missing(
    readings: Readings, bad: Mapping[str, Bool[np.ndarray, " rows"]], targets: Sequence[str], drop: tuple[str, ...]
) -> list[Fault | None]:
    """Cells that lack a value, or hold an infinite number, where nothing is done about them."""
    words = {label: readings[label].holds_texts for label in bad}
    infinite = {label: np.isinf(readings[label].numbers) for label in bad if not words[label]}
    lacking = {label: readings[label].absent if words[label] else gap & ~infinite[label] for label, gap in bad.items()}
    mends = [drop] if drop else []
    if not any(label in targets or (words[label] and lacking[label].any()) for label in bad):
        mends.insert(1 if drop == ("--drop-missing",) else 0, ("--impute", "median"))
    finite = "drop these rows, or put a finite number there"
    return [
        _fault("missing values", _gaps(lacking), (), *mends, advice=_FILL, skip=False),
        _fault("infinite values", _gaps(infinite), (), *mends, advice=finite, skip=False),
    ]


def worst_columns(
    bad: Mapping[str, Bool[np.ndarray, " rows"]], targets: Sequence[str], least_rows: int
) -> tuple[str, ...] | None:
    """The inputs to leave out so that enough rows are whole: of those that lack most, as few as do.

    Parameters
    ----------
    bad : mapping of str to array of bool, shape (rows,)
        Which cells of each column lack a value.
    targets : sequence of str
        Columns that cannot be left out.
    least_rows : int
        How many rows must be whole.

    Returns
    -------
    tuple of str or None
        The columns; None where leaving out does not help.

    Examples
    --------
    >>> worst_columns({"a": np.array([True, True]), "y": np.array([True, False])}, ["y"], 1)
    ('a',)
    """
    left, skipped = dict(bad), list[str]()
    while left:
        if (~np.any(list(left.values()), axis=0)).sum() >= least_rows:
            return tuple(skipped)
        inputs = [label for label in left if label not in targets]
        if not inputs:
            return None
        skipped.append(max(inputs, key=lambda label: int(left[label].sum())))
        del left[skipped[-1]]
    return tuple(skipped)


def _gaps(bad: Mapping[str, Bool[np.ndarray, " rows"]]) -> list[Spot]:
    return [Spot(label, "", int(np.flatnonzero(gap)[0]) + 1, int(gap.sum())) for label, gap in bad.items() if gap.any()]
