"""Laws of textbooks from tables: is the law found, and is the word for it right?

Each law is asked for as doubles, as float32, with four digits, and with noise of 1 % of y's deviation.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import sympy

from benchmarks.common._measure import table, write_section
from benchmarks.common._workers import watched
from benchmarks.laws.cases._textbook import textbook_laws
from benchmarks.laws.judging._judge import judge
from benchmarks.laws.words import rounded, said

KINDS = ("clean", "float32", "4 digits", "1 % noise")
NOISE = 0.01  # of y's deviation
LONGER, SHORT = 2.5, 8  # times the law's operations: a longer formula is a series, where the law has so many at least
CLAIMS = ("exact", "within precision", "within noise")


@dataclass(frozen=True)
class Found:
    """What the program said of one table."""

    kind: str
    name: str
    word: str
    right: bool
    seconds: float
    formula: str

    @property
    def wrong(self) -> bool:
        """Whether the word claims a law that it is not."""
        return self.word in CLAIMS and not self.right

    def line(self) -> str:
        """For the terminal."""
        told = ("right" if self.right else "no") + (" WRONG WORD" if self.wrong else "")
        return f"{self.kind:<10}{self.name:<25}{told:<7}{self.word:<18}{self.seconds:6.1f} s  {self.formula[:130]}"


def measure(job: tuple[int, str, float, int]) -> Iterator[Found]:
    """One table, by the number of its law."""
    number, kind, seconds, seed = job
    one = textbook_laws()[number]
    x, y = one.drawn(seed)
    if kind == "1 % noise":
        y = y + NOISE * float(np.std(y)) * np.random.default_rng((seed, number)).normal(size=len(y))
    elif kind != "clean":
        digits = 4 if kind == "4 digits" else 0
        x, y = rounded(x, digits), rounded(y, digits)
    began = time.process_time()
    formula = said((x, y), one.inputs, one.ranges, seconds)
    spent = time.process_time() - began
    form = judge(formula.expression, one.truth(), inputs=one.inputs, ranges=one.ranges).form
    short = sympy.count_ops(formula.expression) <= LONGER * max(sympy.count_ops(one.truth()), SHORT)
    yield Found(kind, one.name, formula.word, form and short, spent, str(formula.expression))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each search, in work of the reference machine")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these laws; RESULTS.md is left as it is")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="where each result is added as a line")
    parser.add_argument("--show", action="store_true", help="print, and write nothing")
    options = parser.parse_args(arguments)
    laws = textbook_laws()
    numbers = [k for k, one in enumerate(laws) if not options.only or one.name in options.only]
    jobs = [(k, kind, options.seconds, options.seed) for kind in options.kinds for k in numbers]
    results: list[Found] = []
    for finished in watched(measure, jobs, limits=(900.0, 120.0), processes=options.jobs):
        number, kind = finished.job[:2]
        failed = Found(kind, laws[number].name, "failed", False, float("nan"), finished.fault)
        found = next(iter(finished.messages), failed)
        print(found.line(), flush=True)
        results.append(found)
        if options.log:
            with options.log.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    if options.show or options.only:
        print("\n".join(_told(results)))
    else:
        write_section("Laws of textbooks", _told(results))


def _told(results: Sequence[Found]) -> list[str]:
    rows, missed = [], []
    for kind in dict.fromkeys(one.kind for one in results):
        of = [one for one in results if one.kind == kind]
        words = Counter(one.word for one in of)
        wrong = sum(one.wrong for one in of)
        seconds = [one.seconds for one in of]
        told = ", ".join(f"{word} {count}" for word, count in words.most_common())
        found = f"{sum(one.right for one in of)} of {len(of)}"
        rows.append((kind, found, told, wrong, f"{np.nanmedian(seconds):.1f} s", f"{np.nanmax(seconds):.1f} s"))
        missed.append(f"Missed, {kind}: {', '.join(one.name for one in of if not one.right) or 'none'}.")
    head = ("rows", "law found", "words", "of exact and within wrongly", "median", "worst")
    about = (
        "Right: the law's form, whatever its constants: it agrees to 1e-8 once they are fitted to the truth, "
        "and is at most two and a half times as long. A third of the rows is held out. Seconds are processor time."
    )
    return [about, "", *table(head, rows), *(line for text in missed for line in ("", text))]


if __name__ == "__main__":
    main()
