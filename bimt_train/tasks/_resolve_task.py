"""From the words of a command line to a task."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from .._errors import TaskError
from ._evidence_accumulation import evidence
from ._formula_task import formula_task
from ._group_products import modular_addition, permutation_s4
from ._in_context import in_context
from ._language import language
from ._mnist import mnist
from ._paper import composition, feature_sharing, independence
from ._task import Task
from ._two_moons import two_moons

# Every task that has a name; a new one is one line here.
TASKS: Mapping[str, Callable[[], Task]] = MappingProxyType(
    {
        "independence": independence,
        "feature-sharing": feature_sharing,
        "composition": composition,
        "two-moons": two_moons,
        "modular-addition": modular_addition,
        "permutation-s4": permutation_s4,
        "in-context": in_context,
        "evidence": evidence,
    }
)
READERS: Mapping[str, Callable[..., Task]] = MappingProxyType({"mnist": mnist, "language": language})  # of files
TABLES = (".csv", ".tsv", ".parquet", ".npz", ".npy")


def resolve_task(
    words: str | Sequence[str], *, target: str | Sequence[str] | None = None, data: str | Path | None = None
) -> Task:
    """A task by its name, by formulas (``"y1 = (x1+x3)**3"``, or bare), or by the path of a table with ``target``.

    ``data`` is what a task reads: the folder of mnist, the text of language. Names may be written with underscores for
    hyphens, in any case. Raises TaskError, with the names that are known, when the words are none of these; and
    whatever ``formula_task`` and ``table_task`` raise.

    >>> resolve_task("feature_sharing").card.outputs
    ('y1', 'y2', 'y3')
    """
    given = [word.strip() for word in ([words] if isinstance(words, str) else words)]
    if not any(given):
        raise TaskError("no task given", expected=_expected())
    tables = [word for word in given if Path(word).suffix.lower() in TABLES and "=" not in word]
    named = [word for word in given if _plain(word) in {*TASKS, *READERS}]
    if len(given) > 1 and (tables or named):
        raise TaskError("one task at a time", got=" ".join(given), mend=f"give {(tables + named)[0]!r} alone")
    if tables:
        from ._table_task import table_task  # brings pandas, which only tables need

        return table_task(tables[0], target=target or ())
    if target:
        raise TaskError("a target is for tables", got=f"--target with {' '.join(given)!r}", mend="leave --target out")
    if _plain(given[0]) in READERS:
        return READERS[_plain(given[0])](*([] if data is None else [data]))
    if data is not None:
        raise TaskError("a task that reads no files", got=" ".join(given), mend="leave --data out")
    if named:
        return TASKS[_plain(given[0])]()
    for word in given:
        if not _looks_like_formula(word):
            raise _unknown(word, given)
    return formula_task(given)


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")


def _looks_like_formula(word: str) -> bool:
    """It has an equals sign or an operator, and is neither hyphenated words nor a path."""
    if "=" in word:
        return word != "="
    if re.fullmatch(r"[A-Za-z_]\w*(-[A-Za-z_]\w*)+", word):  # x1-x2 is a formula, two-moons is not
        return not re.search(r"[A-Za-z]{4}", word)
    path = re.fullmatch(r"[\w./~-]*\.[A-Za-z]\w*", word) or (len(word) < 200 and Path(word).exists())
    return not path and bool(re.search(r"[-+*/^()]", word))


def _unknown(word: str, given: Sequence[str]) -> TaskError:
    if "=" in given:
        return TaskError("a formula in pieces", got=" ".join(given), mend=f"put it in quotes: '{' '.join(given)}'")
    near = difflib.get_close_matches(_plain(word), [*TASKS, *READERS], n=1)
    formula = f"if it is a formula, write 'y = {word}'" if "-" in word else "write a formula in quotes: 'y = x1*x2'"
    mend = f"did you mean {near[0]}?" if near else formula
    return TaskError("unknown task", expected=_expected(), got=repr(word), mend=mend)


def _expected() -> str:
    return f"{', '.join([*TASKS, *READERS])}, formulas, or a table ({' '.join(TABLES)})"
