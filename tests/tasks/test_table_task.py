"""Tables: every format gives the same numbers, and everything that can be wrong with a table says so in one line."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_train import MissingExtra, TaskError
from bimt_train.expressions.expression import parse_expression
from bimt_train.tasks import Task, table_task
from bimt_train.tasks._resolve_task import TABLES
from bimt_train.tasks.tables.column_names import safe_names
from bimt_train.tasks.tables.files._read_table import SUFFIXES

ROWS = 40


def _frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.normal(3.0, 2.0, (ROWS, 2))
    return pd.DataFrame(
        {"mass (kg)": x[:, 0], "count": rng.integers(0, 9, ROWS), "on": x[:, 1] > 3, "y": x[:, 0] * x[:, 1]}
    )


def _written(frame: pd.DataFrame, path: Path) -> Path:
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".txt" | ".dat":
            frame.to_csv(path, index=False, sep=" ")
        case ".feather":
            frame.to_feather(path)
        case ".arrow":
            table = pyarrow.Table.from_pandas(frame)
            with pyarrow.ipc.new_stream(path, table.schema) as stream:
                stream.write_table(table)
        case ".xlsx":
            pytest.importorskip("openpyxl")
            frame.to_excel(path, index=False)
        case ".h5":
            with h5py.File(path, "w", track_order=True) as file:
                for name in frame:
                    file[name] = frame[name].to_numpy()
        case ".hdf5":
            with h5py.File(path, "w") as file:
                file["table"] = np.array(frame.to_records(index=False))
        case ".tsv":
            frame.to_csv(path, index=False, sep="\t")
        case ".parquet":
            frame.to_parquet(path)
        case ".npz":
            np.savez(path, **{name: frame[name].to_numpy() for name in frame})
        case ".npy":
            np.save(path, frame.to_records(index=False))
    return path


def _all_rows(task: Task) -> np.ndarray:
    data = task.data(0)
    both = [np.hstack([data.x_train, data.y_train]), np.hstack([data.x_test, data.y_test])]
    together = np.concatenate(both)
    return together[np.lexsort(together.T)]


@pytest.mark.parametrize("suffix", TABLES)
def test_every_format_gives_the_same_numbers(suffix: str, tmp_path: Path) -> None:
    frame = _frame()
    task = table_task(_written(frame, tmp_path / f"beams{suffix}"), target="y")
    expected = frame.astype(np.float64).to_numpy()
    digits = 1e-15 if suffix == ".xlsx" else 0  # Excel's file has 16 digits
    np.testing.assert_allclose(_all_rows(task), expected[np.lexsort(expected.T)], rtol=digits, atol=0)
    assert task.spec.name == "beams"
    assert task.spec.inputs == ("mass_kg", "count", "on") and task.spec.outputs == ("y",)
    assert task.spec.input_labels == ("mass (kg)", "count", "on") and task.spec.output_labels is None
    assert task.widths == (3, 20, 20, 20, 1) and task.spec.decomposition is None
    assert TABLES == SUFFIXES


def test_a_frame_and_its_extension_types_are_tables_too() -> None:
    frame = _frame().convert_dtypes()
    np.testing.assert_array_equal(_all_rows(table_task(frame, target="y")), _all_rows(table_task(_frame(), target="y")))
    assert table_task(frame, target="y", name="mine").spec.name == "mine"


def test_a_fifth_of_the_rows_is_for_testing_and_the_seed_decides_which() -> None:
    task = table_task(_frame(), target=["y"])
    data, again, other = task.data(3), task.data(3), task.data(4)
    order = np.random.default_rng(3).permutation(ROWS)
    values = _frame()[["mass (kg)", "count", "on"]].astype(np.float64).to_numpy()
    np.testing.assert_array_equal(data.x_test, values[order[:8]])
    np.testing.assert_array_equal(data.x_train, values[order[8:]])
    np.testing.assert_array_equal(again.y_train, data.y_train)
    assert not np.array_equal(other.x_test, data.x_test)
    data.x_train[:] = 0
    assert task.data(3).x_train.any()


def test_the_units_map_inputs_on_the_unit_range_and_standardise_outputs() -> None:
    task = table_task(_frame(), target=["y", "count"], inputs=["on", "mass (kg)"])
    rows = _all_rows(task)
    x, y = task.spec.to_network_inputs(rows[:, :2]), task.spec.to_network_targets(rows[:, 2:])
    np.testing.assert_allclose([x.min(axis=0), x.max(axis=0)], [[-1, -1], [1, 1]], atol=1e-12)
    np.testing.assert_allclose([y.mean(axis=0), y.std(axis=0)], [[0, 0], [1, 1]], atol=1e-12)
    np.testing.assert_allclose(task.spec.ranges, np.stack([rows[:, :2].min(0), rows[:, :2].max(0)], axis=1))


@pytest.mark.parametrize(
    ("separator", "decimal"),
    [(",", "."), (";", "."), (";", ","), ("\t", ".")],
    ids=["comma", "semicolon", "german", "tab"],
)
def test_separators_are_found(separator: str, decimal: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    _frame().to_csv(path, index=False, sep=separator, decimal=decimal)
    np.testing.assert_array_equal(_all_rows(table_task(path, target="y")), _all_rows(table_task(_frame(), target="y")))


def test_quoted_names_blank_lines_marks_and_words_for_truth(tmp_path: Path) -> None:
    rows = "\n".join(f" {i}, {'True' if i % 2 else 'false'} ,{i * i}.5\n" for i in range(12))
    text = '\ufeff\n"mass, total",  NA ,y\n' + rows
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    task = table_task(tmp_path / "t.csv", target="y")
    assert task.spec.input_labels == ("mass, total", "NA") and task.spec.inputs == ("mass_total", "NA")
    expected = np.array([[i, i % 2, i * i + 0.5] for i in range(12)])
    np.testing.assert_array_equal(_all_rows(task), expected)


def test_separators_inside_quotes_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('"a;b;c;d",y\n' + "".join(f"{i},{i * i}\n" for i in range(12)), encoding="utf-8")
    assert table_task(tmp_path / "t.csv", target="y").spec.input_labels == ("a;b;c;d",)


def _text(change: dict[int, str] | None = None, header: str = "a,b,y") -> str:
    rows = {i: f"{i},{i * i % 7},{i**3}" for i in range(1, 13)} | (change or {})
    return "\n".join([header, *rows.values()]) + "\n"


def _rows(header: str, row: Callable[[int], str], count: int = 12) -> str:
    return header + "\n" + "".join(row(i) + "\n" for i in range(count))


# name -> (the file, what is said of it); FILE stands for its path
BAD_TABLES = {
    "missing": (
        _text({3: "3,,27", 5: ",NA,125", 6: "6,nan,216"}),
        r"missing values: FILE: expected numbers, got column 'a' \(1, first in row 5\), 'b' \(3, first in row 3\); "
        "hint: --impute median, or --drop-missing --skip b$",
    ),
    "text": (
        _text({4: "4,red,64", 5: "5,blue,1"}),
        r"words between numbers: FILE: .*'b' \(2, first in row 4: 'red'\); "
        "hint: --missing blue red --drop-missing, or --skip b$",
    ),
    "comma": (_text({2: '2,"1,500",8'}), r"decimal marks or.*'b' \(1, first in row 2: '1,500'\).*--decimal comma, or"),
    "infinite": (
        _text({9: "9,inf,3"}),
        r"infinite values: FILE: .*'b' \(1, first in row 9\); hint: --drop-missing, or",
    ),
    "constant": (
        _rows("a,b,y", lambda i: f"{i},5,{i * 2}"),
        r"constant column: FILE: .*'b' \(always 5\); hint: --skip b$",
    ),
    "constant target": (_rows("a,y", lambda i: f"{i},5"), r"constant target.*'y' \(always 5\); hint: name another"),
    "copy": (
        _rows("a,b,y", lambda i: f"{i},{i * i},{i * i}"),
        r"copy of the target: FILE: .*'b' \(the same as 'y'\).*--skip b",
    ),
    "duplicate": (_text(header="a,a,y"), r"duplicated column name: FILE: .*'a' \(columns 1 and 2, .*--skip a.2"),
    "nine rows": (_rows("a,y", lambda i: f"{i},{i * i}", 9), "too few rows: FILE: expected at least 10, got 9"),
    "names only": ("a,y\n", "too few rows: FILE: expected at least 10, got 0"),
    "empty": ("", "an empty file: FILE"),
    "blank": ("\n \n", "an empty file: FILE"),
    "no name": (
        _text(header=",b,y"),
        r"without a name: FILE: .*\(column 1, called 'column1' here\); hint: --skip column1",
    ),
    "no header": (
        _rows("0,0.5", lambda i: f"{i},{i * i}.5"),
        "where names belong: FILE, first row: got 0, 0.5",
    ),
    "long row": (
        _text({4: "4,1,64,9"}),
        "rows of different lengths: FILE: expected 3 fields.* got '9' after them in row 4",
    ),
    "long first row": (
        _text({1: "1,1,1,9"}),
        "rows of different lengths: FILE: expected 3 fields.* got '9' after them in row 1",
    ),
    "short row": (_text({4: "4,1"}), r"missing values.*'y' \(1, first in row 4\)"),
    "no target": (_text(header="a,b,z"), "no such target column: FILE: expected one of 'a', 'b', 'z', got 'y'"),
    "one column": (_rows("y", str), "no column is left to learn from: FILE"),
    "many": (
        _rows("a,b,c,d,e,f,g,y", lambda i: ",,,,,,,1"),
        r"2 faults: FILE.*without values.*'a'.*'e' \(12, first in row 1\) and 2 more.*constant target",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_what_is_wrong_with_a_table_is_said_in_one_line(case: str, tmp_path: Path) -> None:
    text, said = BAD_TABLES[case]
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TaskError, match=said.replace("FILE", str(path))) as caught:
        table_task(path, target="y")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "inputs", "said"),
    [
        ((), None, "no target named: DataFrame: got columns mass .*; hint: name one: --target NAME"),
        (("Y",), None, "no such target column"),
        (("yy",), None, "got 'yy'; hint: did you mean 'y'"),
        (("y", "y"), None, "named twice as target"),
        (("y",), ["y", "on"], "both input and target: DataFrame, column 'y'"),
        (("y",), ["cout"], "no such input column.*did you mean 'count'"),
        (("y",), ["on", "on"], "named twice as input"),
        (("y",), [], "no column is left"),
        (("mass (kg)", "count", "on", "y"), None, "no column is left"),
    ],
)
def test_columns_that_cannot_be_chosen(target: tuple[str, ...], inputs: list[str] | None, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        table_task(_frame(), target=target, inputs=inputs)


def test_columns_that_are_not_chosen_may_hold_anything() -> None:
    frame = _frame().assign(note="text", hole=np.nan, when=pd.Timestamp("2024-01-01"))
    assert table_task(frame, target="y", inputs=["on", "count"]).spec.inputs == ("on", "count")
    with pytest.raises(TaskError, match=r"4 faults: .*'hole'.*'when' \(40, first in row 1: '2024-01-01.*'note'"):
        table_task(frame, target="y")


def test_frames_with_duplicated_names_or_none_at_all() -> None:
    frame = _frame()
    frame.columns = pd.Index(["a", "b", "a", "y"])
    with pytest.raises(TaskError, match=r"duplicated column name: DataFrame: .*'a' \(columns 1 and 3"):
        table_task(frame, target="y")
    with pytest.raises(TaskError, match="numbers where names belong"):
        table_task(pd.DataFrame(np.eye(12)), target="0")
    with pytest.raises(TaskError, match="without columns"):
        table_task(pd.DataFrame(), target="y")


def test_missing_and_nullable_values_in_frames_are_missing() -> None:
    frame = _frame().astype({"count": "Int64"})
    frame.loc[4, "count"] = pd.NA
    frame["on"] = frame["on"].astype(object)
    frame.loc[6, "on"] = None
    with pytest.raises(TaskError, match=r"'count' \(1, first in row 5\), 'on' \(1, first in row 7\)"):
        table_task(frame, target="y")
    with pytest.raises(TaskError, match=r"constant column of text.*'on' \(always '\(1\+2j\)'\)"):
        table_task(_frame().assign(on=1 + 2j), target="y")


def _damaged(suffix: str) -> bytes:
    return {
        ".npz": b"PK\x03\x04 and then nothing",
        ".npy": b"\x93NUMPY\x01\x00v",
        ".parquet": b"PAR1 no more",
        ".feather": b"ARROW1 no more",
        ".arrow": b"\xff\xff\xff\xff\x10",
        ".xlsx": b"PK\x03\x04 and nothing",
        ".h5": b"\x89HDF\r\n\x1a\n and nothing",
    }[suffix]


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".parquet", ".feather", ".arrow", ".xlsx", ".h5"])
def test_damaged_files_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}"
    good = _written(_frame(), tmp_path / f"u{suffix}").read_bytes()
    flipped = [good[:at] + bytes([good[at] ^ 255]) + good[at + 1 :] for at in range(6, 80, 3)]
    for content in (_damaged(suffix), b"nonsense", good[:90], *flipped):
        path.write_bytes(content)
        try:
            table_task(path, target="y")
        except TaskError as error:
            assert str(path) in str(error) and "\n" not in str(error)
        else:
            assert content in flipped  # a flipped byte of padding or of a number may do no harm


def test_numpy_files_that_are_no_tables(tmp_path: Path) -> None:
    path, plain = tmp_path / "t.npz", tmp_path / "t.npy"
    np.save(plain, np.zeros((20, 3)))
    with pytest.raises(TaskError, match=r"without named columns.*hint: name the columns"):
        table_task(plain, target="y")
    np.save(plain, np.zeros(20, dtype=[("x", float, (2,)), ("y", float)]))
    with pytest.raises(TaskError, match=r"field that is no column.*'x': got \[20, 2\]"):
        table_task(plain, target="y")
    np.savez(path, x=np.zeros((20, 2)), y=np.zeros(20))
    with pytest.raises(TaskError, match=r"array 'x': expected one-dimensional, of 20 rows, got \[20, 2\]"):
        table_task(path, target="y")
    np.savez(path, x=np.zeros(20), y=np.zeros(19))
    with pytest.raises(TaskError, match=r"array 'y'.*got \[19\]"):
        table_task(path, target="y")
    np.savez(path, x=np.array([object()] * 20), y=np.zeros(20))
    with pytest.raises(TaskError, match=r"not an .npz archive of plain arrays"):
        table_task(path, target="y")
    np.save(tmp_path / "bare.npy", np.zeros(20))
    path.write_bytes((tmp_path / "bare.npy").read_bytes())
    with pytest.raises(TaskError, match="not an archive of arrays"):
        table_task(path, target="y")
    np.savez(path)
    with pytest.raises(TaskError, match="not an archive of arrays"):
        table_task(path, target="y")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for name, said in (
        ("none.csv", "no such file"),
        ("t.ods", "not a table.*expected .csv .*, got .ods"),
    ):
        with pytest.raises(TaskError, match=said):
            table_task(tmp_path / name, target="y")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TaskError, match=r"cannot be read: .*: got File name too long"):
        table_task("x" * 5000 + ".csv", target="y")
    with pytest.raises(TaskError, match="a folder, not a table"):
        table_task(tmp_path / "folder.csv", target="y")
    (tmp_path / "latin.csv").write_bytes(_text(header="größe,b,y").encode("latin-1"))
    with pytest.raises(TaskError, match=r"not a text in UTF-8.*byte 0xf6.*save the table again"):
        table_task(tmp_path / "latin.csv", target="y")
    (tmp_path / "late.csv").write_bytes(_text().encode() + b"13,\xe9,4\n")
    with pytest.raises(TaskError, match="not a text in UTF-8"):
        table_task(tmp_path / "late.csv", target="y")


def test_excel_files_have_units_dates_comments_and_several_sheets(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("openpyxl")
    days = pd.date_range("2020-01-01", periods=12)
    rows = [["# from the lab", None, None], ["v", "day", "y"], ["m/s", None, "N"]]
    rows += [[k * 0.5, day, k**2] for k, day in enumerate(days)]
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame(rows).to_excel(writer, sheet_name="wing", index=False, header=False)
        pd.DataFrame([[1]]).to_excel(writer, sheet_name="rest", index=False, header=False)
    with caplog.at_level(logging.INFO, logger="bimt_train"):
        task = table_task(path, target="y", dates="days")
    assert task.spec.units == {"v": "m/s", "day": "days", "y": "N"}
    assert sorted(_all_rows(task)[:, 1]) == [*range(12)]
    assert "the first of 2 sheets is read, 'wing'" in caplog.text and "comment lines left out: 1" in caplog.text


def test_hdf5_files_that_are_no_tables(tmp_path: Path) -> None:
    path = tmp_path / "t.h5"
    with h5py.File(path, "w") as file:
        file["group/x"] = np.zeros(3)
    with pytest.raises(TaskError, match="not an archive of arrays"):
        table_task(path, target="y")
    with h5py.File(path, "w") as file:
        file["kind"] = ["a", "b"] * 6
        file["y"] = np.arange(12.0)
    assert table_task(path, target="y", categories="one-hot").spec.inputs == ("kind_a", "kind_b")


@pytest.mark.parametrize(
    ("suffix", "package", "extra"),
    [(".xlsx", "openpyxl", "excel"), (".feather", "pyarrow", "parquet"), (".h5", "h5py", "keras")],
)
def test_a_file_whose_package_is_not_there_names_the_extra(
    suffix: str, package: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"t{suffix}").write_bytes(b"some")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"needs the package {package},.*pip install 'bimt\[{extra}\]'"):
        table_task(tmp_path / f"t{suffix}", target="y")


def test_parquet_without_pyarrow_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _written(_frame(), tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match=r"t.parquet.* needs the package pyarrow,.*pip install 'bimt\[parquet\]'"):
        table_task(path, target="y")


def test_columns_get_names_that_sympy_and_formulas_leave_alone() -> None:
    labels = [
        "mass (kg)",
        "2nd",
        "pi",
        "exp",
        "E",
        "I",
        "S",
        "N",
        "gamma",
        "lambda",
        "_x",
        "",
        "%",
        "θ",
        "größe",
        "x1",
        "a b",
    ]
    names = safe_names(labels)
    assert names[:7] == ("mass_kg", "x_2nd", "pi_", "exp_", "E_", "I_", "S_")
    assert names[7:13] == ("N_", "gamma_", "lambda_", "x", "x_12", "x_13")
    assert names[13:] == ("θ", "größe", "x1", "a_b")


def test_names_that_would_collide_are_numbered_and_good_names_stay() -> None:
    assert safe_names(["a b", "a_b", "a.b", "a-b"]) == ("a_b_2", "a_b", "a_b_3", "a_b_4")
    assert safe_names(["pi", "pi_"]) == ("pi_2", "pi_")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=8), unique=True, max_size=8))
def test_any_labels_become_different_names_that_sympy_reads_as_symbols(labels: list[str]) -> None:
    import sympy

    names = safe_names(labels)
    assert len(set(names)) == len(names) == len(labels)
    for name in names:
        assert parse_expression(name).names == (name,)
        assert not hasattr(sympy, name)
    assert safe_names(names) == names


def test_values_too_large_for_units_are_refused() -> None:
    frame = pd.DataFrame({"x": np.r_[-1.7e308, np.arange(18.0), 1.7e308], "y": np.arange(20.0) ** 2})
    with pytest.raises(TaskError, match="squares are beyond double precision"):
        table_task(frame, target="y")
