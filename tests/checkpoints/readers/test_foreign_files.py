"""Networks as other people save them: read right, or refused by name; never read wrong."""

import warnings
from pathlib import Path

import pytest

from benchmarks.networks.foreign_cases._cases import Case, cases
from benchmarks.networks.foreign_cases._formats import FORMATS, one_network
from benchmarks.networks.foreign_cases._keras_cases import keras_cases
from benchmarks.networks.foreign_cases._others import others
from benchmarks.networks.foreign_cases._siblings import siblings
from benchmarks.networks.foreign_files import READ, REFUSED, outcome

CASES = [*cases(), *siblings(), *others(), *keras_cases()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_read_right_or_refused(case: Case, tmp_path: Path) -> None:
    done, why = outcome(case, tmp_path)
    assert done == {"read": READ, "refused": REFUSED}[case.expected], why


def test_one_network_gives_the_same_predictions_in_every_format(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = dict(one_network(tmp_path))
    assert found.keys() == {*FORMATS, "scikit-learn"}
    tried = {name: said for name, said in found.items() if not said.startswith("not tried")}
    assert len(tried) >= 8
    assert all(float(said) < 1e-5 for said in tried.values()), tried
