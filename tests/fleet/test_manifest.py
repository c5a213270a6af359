"""Manifests: what their cells mean, and which are refused, with the line."""

from dataclasses import fields

import pytest

from bimt_analyze import Sampling
from bimt_analyze.fleet._manifest import read_manifest
from bimt_train import InputError


@pytest.fixture
def read(tmp_path):
    def go(text, sampling=None):
        (tmp_path / "m.csv").write_text(text)
        return read_manifest(tmp_path / "m.csv", sampling)

    return go


def test_a_cell_overrides_the_default_and_an_empty_one_does_not(read):
    default = Sampling(activation="silu", ranges=((-1.0, 1.0),), final="none")
    first, second = read("file,activation,range,loss\na.pt,relu,0 2,mse\nb.pt,,,\n", default)
    assert first[1] == Sampling(activation="relu", ranges=((0.0, 2.0),), final="none", loss="mse")
    assert second[1] == default


def test_paths_are_those_of_the_manifest(read, tmp_path):
    ((file, said),) = read("file,probe,target,model\nnets/a.pt,t.csv,u 'v w',kind.py:Kind\n")
    assert file == tmp_path / "nets/a.pt" and said.probe == tmp_path / "t.csv"
    assert said.target == ("u", "v w") and said.model == f"{tmp_path / 'kind.py'}:Kind"
    ((_, said),) = read("file,model\na.pt,package.kinds:Kind\n")
    assert said.model == "package.kinds:Kind"


def test_a_table_in_a_row_takes_the_place_of_a_range_and_the_other_way_round(read):
    ((_, said),) = read("file,probe\na.pt,t.csv\n", Sampling(ranges=((0.0, 1.0),)))
    assert said.ranges == () and said.probe is not None
    ((_, said),) = read("file,range\na.pt,0 1 2 3\n", Sampling(probe=said.probe, target=("y",)))
    assert (said.probe, said.target, said.ranges) == (None, (), ((0.0, 1.0), (2.0, 3.0)))


def test_every_field_has_a_column(read):
    other = {"ranges": "range", "roles": "role", "batch_norm": "batch-norm", "lora_scale": "lora-scale"}
    columns = {other.get(field.name, field.name) for field in fields(Sampling) if field.name != "table"}
    assert len(read(f"file,{','.join(sorted(columns))}\na.pt{',' * len(columns)}\n")) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,activaton\na.pt,relu\n", "unknown column.*'activaton'.*did you mean activation"),
        ("activation\nrelu\n", "without a column of files"),
        ("file,final,final\na.pt,none,none\n", "occurs twice.*final"),
        ("file\n", "without rows"),
        ("", "without a column of files"),
        ("file,range\na.pt,0 1\nb.pt,0 1 2\n", "line 3, range.*'0 1 2'"),
        ("file,range\na.pt,low high\n", "line 2, range"),
        ("file,range\n,0 1\n", "line 2.*write a path"),
        ("file,parts\na.pt,y1: x1, x2\n", "line 2.*quotes"),
        ("file,target\na.pt,'u\n", "line 2, target"),
    ],
)
def test_bad_tables_are_refused_with_the_place(read, text, said):
    with pytest.raises(InputError, match=said) as refused:
        read(text)
    assert "\n" not in str(refused.value)
