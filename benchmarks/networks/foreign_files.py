"""Files as other people save their networks: read right, refused by name, or silently wrong (which may not be).

And one network saved in every format that can be written here: do all give the same predictions?
"""

import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.common._measure import no_options, table, write_section
from benchmarks.networks.foreign_cases._cases import Case, X, cases
from benchmarks.networks.foreign_cases._formats import one_network
from benchmarks.networks.foreign_cases._keras_cases import keras_cases
from benchmarks.networks.foreign_cases._others import others
from benchmarks.networks.foreign_cases._siblings import siblings
from bimt_train import InputError
from bimt_train.checkpoints import read_foreign

NEAR = 1e-5  # what predictions may differ by, of the largest
READ, REFUSED, WRONG = "read right", "refused by name", "SILENTLY WRONG"


def outcome(case: Case, folder: Path) -> tuple[str, str]:
    """What became of a file, and a few words on it."""
    path = folder / f"network{case.suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case.save(case.content, path)
    try:
        checkpoint = read_foreign(path, activation=case.activation, x=X, **case.options)
    except InputError as error:
        named = ": ".join(filter(None, (error.what, error.where.replace(str(path), "").strip(", "))))
        return REFUSED, f"{named} {error.got}".strip()
    except Exception as error:
        return f"CRASHED {type(error).__name__}", str(error)[:80]
    if case.truth is None:
        return (READ, "") if case.expected == "read" else (WRONG, "no answer is right")
    said = checkpoint.predict(X)
    with torch.no_grad():
        right = _in_double(case.truth)(torch.tensor(X, dtype=torch.float64)).numpy()
    same = said.shape == right.shape and np.abs(said - right).max() <= NEAR * max(1.0, float(np.abs(right).max()))
    return (READ, "") if same else (WRONG, f"read as {checkpoint.network.layout.sizes}")


def _in_double(truth: Any) -> Any:
    if isinstance(truth, torch.nn.Module):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return truth.double()
    return lambda x: truth(x.float()).double()


def main() -> None:
    no_options(__doc__)
    found, rows, began = [], [], time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        for case in (*cases(), *siblings(), *others(), *keras_cases()):
            folder = Path(place) / str(len(found))
            folder.mkdir()
            done, why = outcome(case, folder)
            found.append(done)
            expected = {"read": READ, "refused": REFUSED}[case.expected]
            rows.append(
                [case.name, done if done == expected else f"{done} (expected: {expected})", why[:160].replace("|", "/")]
            )
        formats = one_network(Path(place))
    counts = Counter(found)
    crashed = sum(count for word, count in counts.items() if word.startswith("CRASHED"))
    summary = (
        f"{len(found)} files in {time.perf_counter() - began:.1f} s: {counts[READ]} read right (to {NEAR:g} of the "
        f"largest output), {counts[REFUSED]} refused by name, {counts[WRONG]} silently wrong, {crashed} crashed."
    )
    lines = [summary, "", *table(["file", "outcome", "words"], rows), ""]
    lines += ["One network in every format, and the largest difference from its own outputs:", ""]
    write_section("Files of weights trained elsewhere", [*lines, *table(["format", "difference"], formats)])


if __name__ == "__main__":
    main()
