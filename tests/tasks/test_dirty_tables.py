"""Tables as people bring them: what can be told for certain is inferred and said, all else is told at once."""

import logging
import random
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bimt_train import Recipe, TaskError, _cli, train
from bimt_train.command._asked_training import Asked
from bimt_train.shell.words import spread_options
from bimt_train.tasks import TableError, Task, resolve_task, table_task
from bimt_train.tasks.tables.table_flags import table_options

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
COUNT = 13


def _lines(header: str, row: Callable[[int], str], count: int = COUNT) -> str:
    return "\n".join([header, *map(row, range(count))]) + "\n"


def _cell_of(texts: dict[int, str], otherwise: str = "{i}") -> str:
    """A table of a, b and y, in whose column a some rows hold these texts."""
    return _lines("a,b,y", lambda i: f"{texts.get(i, otherwise.format(i=i))},{i * i % 7},{i**3}")


def _column(cell: Callable[[int], str], name: str = "a") -> str:
    return _lines(f"{name},b,y", lambda i: f"{cell(i)},{i * i % 7},{i**3}")


def _separated(mark: str) -> str:
    return _cell_of({}).replace(",", mark)


# what the page says that your table has -> such a file
FILES: dict[str, str | bytes] = {
    "columns that are not to be used": _lines("a,b,site,y", lambda i: f"{i},{i * i % 7},north{i},{i**3}"),
    "one column too many": _lines("a,b,site,y", lambda i: f"{i},{i * i % 7},north{i % 2},{i**3}"),
    "semicolons between the columns": _separated(";"),
    "tabs, in a .csv file": _separated("\t"),
    "bars": _separated("|"),
    "spaces": _separated("   "),
    "lines of comments, with # or %": "# from the lab, 2024\n" + _cell_of({}).replace("\n5,", "\n% 5 is good\n5,"),
    "names in the last comment, as numpy.savetxt writes them": "# " + _separated(" "),
    "exponents as Fortran writes them, 1.5D+03": _column(lambda i: f"{i}.5D+0{i % 2}"),
    "decimal commas": _column(lambda i: f'"{i},5"'),
    "thousands separators": _column(lambda i: f'"{i},500.25"'),
    "1,234, which may be either": _column(lambda i: f'"{i + 1},234"'),
    "NA, n/a or nothing in a cell": _cell_of({4: "n/a"}),
    "- or ? for a missing number": _cell_of({4: "?"}),
    "another word between numbers": _cell_of({4: "broken"}),
    "-999 for a missing number": _cell_of({4: "-999", 5: "-999.0"}),
    "a missing number in a row that is to stay": _cell_of({4: ""}),
    "inf": _cell_of({4: "inf"}),
    "percent signs": _column(lambda i: f"{i}.5 %"),
    "numbers in quotes": _column(lambda i: f'"{i}"'),
    "texts": _column(lambda i: "north" if i % 3 else "south", "site"),
    "texts as the target": _column(lambda i: "north" if i % 3 else "south", "site"),
    "dates": _column(lambda i: f"2020-01-{i + 1:02}", "day"),
    "dates with the day first": _column(lambda i: f"{i + 1}/2/2020", "day"),
    "days and months that cannot be told apart": _column(lambda i: f"{i % 11 + 1}/{i % 5 + 1}/2020", "day"),
    "a row of units below the names": _cell_of({}).replace("y\n", "y\n[m/s],-,[N]\n", 1),
    "units in names": _cell_of({}).replace("a,b,y", "a [m/s],b,y [N]"),
    "units in your head": _cell_of({}),
    "a column without a name, as pandas writes its index": _cell_of({}).replace("a,", ",", 1),
    "a name that occurs twice": _lines("a,a,y", lambda i: f"{i},{i * i % 7},{i**3}"),
    "empty columns without a name at the end": _cell_of({}).replace("\n", ",\n"),
    "a column that never changes": _lines("a,b,y", lambda i: f"{i},5,{i**3}"),
    "a copy of the target": _lines("a,b,y", lambda i: f"{i},{i**3},{i**3}"),
    'UTF-16, as Excel writes its "Unicode text"': _separated("\t").encode("utf-16"),
    "another encoding": _cell_of({}).replace("a,", "größe,", 1).encode("latin-1"),
}
# What can be read without an option: the reader knows better, or another option is the first that helps.
NOT_REFUSED = {
    "columns that are not to be used",
    "-999 for a missing number",
    "units in names",
    "units in your head",
    "texts as the target",
}
ROWS = [
    [cell.strip() for cell in line[1:-1].split("|")]
    for line in PAGE.read_text().partition("| file | holds")[0].splitlines()
    if line.startswith("| ") and "what you type" not in line
]


def _options(words: Sequence[str]) -> dict[str, Any]:
    """What words of the command line mean to `table_task`."""
    spread = spread_options(["t.csv", *words], _cli.SEVERAL)
    context = _cli.command.make_context("bimt-train", spread)
    said = Asked(**context.params)
    return table_options(vars(said)) | ({"target": said.target} if said.target else {})


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _read(path: Path, *words: str) -> Task:
    return table_task(path, **({"target": "y"} | _options(words)))


def test_the_page_has_every_file() -> None:
    assert [row[0] for row in ROWS] == list(FILES) and {len(row) for row in ROWS} == {3}


@pytest.mark.parametrize(("has", "typed", "said"), ROWS, ids=[row[0] for row in ROWS])
def test_what_the_page_says_is_so(has: str, typed: str, said: str, tmp_path: Path, caplog, capsys) -> None:
    path, words = _write(tmp_path / "t.csv", FILES[has]), shlex.split(typed.strip("`"))
    target = [] if "--target" in words else ["--target", "y"]
    with caplog.at_level(logging.INFO, logger="bimt_train"):
        status = _cli.main([str(path), *target, *words, "--dry-run", "--seeds", "1"])
    assert status == 0, capsys.readouterr().err
    lines = [record.getMessage() for record in caplog.records]
    assert said in "\n".join(lines) and bool(lines) == bool(said)
    error = capsys.readouterr().err
    assert all(line in error for line in lines)  # on the terminal as well
    if words and has not in NOT_REFUSED:
        assert _cli.main([str(path), *target, "--dry-run"]) == 2
        assert words[0] in capsys.readouterr().err.partition("hint: ")[2]  # the refusal says what to type


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    rows = [f"{i},{'' if i == 3 else i * i % 7},5,2020-01-{i + 1:02},{'ab'[i % 2]},{i**3}" for i in range(COUNT)]
    path = _write(tmp_path / "t.csv", "\n".join(["a,b,still,day,site,y", *rows]))
    with pytest.raises(TableError, match=r"^4 faults: ") as caught:
        _read(path)
    faults = {fault.what: fault for fault in caught.value.faults}
    assert [*faults] == ["dates", "values that are no numbers", "missing values", "a constant column"]
    assert [(spot.column, spot.row, spot.count) for spot in faults["missing values"].spots] == [("b", 4, 1)]
    said = "--dates days --categories one-hot --drop-missing --skip still"
    assert caught.value.hint == f"add {said}"
    task = _read(path, *said.split())
    assert task.spec.inputs == ("a", "b", "day", "site_a", "site_b") and len(_rows(task)) == COUNT - 1
    assert task.spec.units == {"day": "days"} and len(task.spec.notes) == 3


def test_what_is_typed_is_what_is_learned_from(tmp_path: Path) -> None:
    """The numbers, against those that were meant."""

    def column(text: str | bytes, *words: str) -> list[float]:
        return sorted(_rows(_read(_write(tmp_path / "t.csv", text), *words))[:, 0].tolist())

    plain = [float(i) for i in range(COUNT)]
    assert column(FILES["decimal commas"]) == [i + 0.5 for i in plain]
    assert column(FILES["thousands separators"]) == [1000 * i + 500.25 for i in plain]
    assert column(FILES["1,234, which may be either"], "--decimal", "point") == [1000 * (i + 1) + 234 for i in plain]
    assert column(FILES["1,234, which may be either"], "--decimal", "comma") == [i + 1.234 for i in plain]
    assert column(FILES["percent signs"]) == [i + 0.5 for i in plain]
    assert (
        column(FILES["dates"], "--dates", "days")
        == plain
        == column(FILES["dates with the day first"], "--dates", "days")
    )
    assert column(FILES["dates"], "--dates", "hours") == [24 * i for i in plain]
    assert column(FILES["a missing number in a row that is to stay"], "--impute", "median")[5:7] == [6, 6.5]
    assert column(FILES["inf"], "--drop-missing") == [i for i in plain if i != 4]
    assert column(FILES["-999 for a missing number"], "--missing", "-999", "--drop-missing")[4] == 6
    assert column(FILES["texts"], "--categories", "one-hot") == [0] * 5 + [1] * 8
    for name in (
        "bars",
        "spaces",
        "numbers in quotes",
        "a row of units below the names",
        "lines of comments, with # or %",
    ):
        assert column(FILES[name]) == plain, name


def test_a_column_that_does_not_tell_its_marks_goes_by_the_others(tmp_path: Path) -> None:
    text = _lines("a,b,y", lambda i: f'"{i + 1},234","{i},5","{i**3}"')
    assert min(_rows(_read(_write(tmp_path / "t.csv", text)))[:, 0]) == 1.234
    text = _lines("a,b,y", lambda i: f'"{i + 1},234",{i}.5,"{i**3}"')
    assert min(_rows(_read(_write(tmp_path / "t.csv", text)))[:, 0]) == 1234


def test_a_target_of_texts_is_learned_as_classes(tmp_path: Path) -> None:
    task = _read(
        _write(tmp_path / "t.csv", FILES["texts as the target"]), "--target", "site", "--categories", "one-hot"
    )
    assert task.spec.loss == "cross-entropy" and task.spec.outputs == ("north", "south") and task.widths[-1] == 2
    assert set(map(tuple, task.data(0).y_train.tolist())) == {(0.0, 1.0), (1.0, 0.0)}
    checkpoint = train(task, seeds=1, recipe=Recipe(steps=5)).best.checkpoint
    assert checkpoint.predict(task.data(0).x_test).shape == (3, 2)


def test_units_are_kept_and_names_made_short_on_request(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", FILES["units in names"])
    plain, short, said = (_read(path, *words).spec for words in ((), ("--units", "names"), ("--units", "b=kg", "a=km")))
    assert plain.inputs == ("a_m_s", "b") and plain.units == {"a_m_s": "m/s", "y_N": "N"}
    assert (
        short.inputs == ("a", "b") and short.units == {"a": "m/s", "y": "N"} and short.input_labels == ("a [m/s]", "b")
    )
    assert said.units == {"a_m_s": "km", "b": "kg", "y_N": "N"}
    path = _write(tmp_path / "t.csv", FILES["a row of units below the names"])
    assert _read(path).spec.units == {"a": "m/s", "y": "N"}
    twice = _lines("v [m/s],v [km/h],y", lambda i: f"{i},{i * i % 7},{i**3}")
    assert _read(_write(path, twice), "--units", "names").spec.inputs == ("v_m_s", "v_km_h")


@pytest.mark.parametrize("text", [_cell_of({}), _separated(";"), _separated(";").replace("\n3;", "\n3,5;")])
def test_what_was_always_read_leaves_no_trace_in_the_checkpoint(text: str, tmp_path: Path) -> None:
    said = _read(_write(tmp_path / "t.csv", text)).spec.to_json()
    assert not {"notes", "input_units", "output_units"} & said.keys()


def test_a_comment_with_the_names_and_signs_in_a_column_are_no_comments(tmp_path: Path) -> None:
    path = _write(tmp_path / "t.csv", _cell_of({}).replace("a,", "# a,", 1))  # as numpy.savetxt writes names
    assert _read(path).spec.inputs == ("a", "b") and len(_rows(_read(path))) == COUNT
    path = _write(path, _column(lambda i: f"#{i}", "number"))
    assert len(_rows(_read(path, "--inputs", "b"))) == COUNT


def test_fortrans_exponents_are_those_of_anyone(tmp_path: Path) -> None:
    found = _rows(_read(_write(tmp_path / "t.csv", _column(lambda i: f"-{i}.5D-0{i % 3}"))))
    assert sorted(row[0] for row in found) == sorted(float(f"-{i}.5e-{i % 3}") for i in range(COUNT))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04\x14\x00\xff", "an archive, as Excel writes it; hint: give the file its own ending, .xlsx"),
        (b"\x1f\x8b\x08\x08\xff", "packed by gzip; hint: unpack it"),
        (_column(lambda i: f"{i}", "Y").replace("y\n", "c\n", 1), "got 'y'; hint: did you mean 'Y'"),
        (_column(lambda i: f"{i}", "c").replace("y\n", "z\n", 1), "got 'y'$"),  # no short name is close to another
        (_column(lambda i: f"{i}e300"), "beyond double precision: .*'a' .*give the column in another unit"),
        (_column(lambda i: f"{i}e-300"), "beyond double precision"),
    ],
)
def test_what_cannot_be_read_is_told_for_what_it_is(content: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=words):
        _read(_write(tmp_path / "t.csv", content))


def test_what_pandas_writes_as_its_index_is_a_column_of_the_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({name: np.arange(COUNT) ** power for name, power in (("a", 1), ("b", 2), ("y", 3))})
    frame.set_index("a").to_parquet(tmp_path / "t.parquet")
    assert _read(tmp_path / "t.parquet").spec.inputs == ("a", "b")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--skip", "z"], "no such skipped column"),
        (["--skip", "y"], "both skipped and target"),
        (["--skip", "a", "--inputs", "b"], "inputs and columns to skip"),
        (["--skip", "a", "b"], "no column is left"),
        (["--units", "z=m"], "no such measured column"),
        (["--units", "m/s"], "units that cannot be read"),
        (["--encoding", "latin-0"], "unknown encoding"),
        (["--encoding", "ascii"], "not a text in ascii: .*hint: --encoding latin-1"),
    ],
)
def test_options_that_do_not_fit_are_refused(words: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=said):
        _read(_write(tmp_path / "t.csv", _cell_of({}) + "# größe\n"), *words)


def test_options_of_a_table_are_for_tables() -> None:
    with pytest.raises(TaskError, match=r"--drop-missing is for tables: .*leave --drop-missing out"):
        resolve_task("independence", table={"drop_missing": True})
    with pytest.raises(
        TaskError, match="unknown impute: expected median or mean, got 'medan'; hint: did you mean median"
    ):
        table_task(pd.DataFrame({"a": range(12), "y": range(12)}), target="y", impute="medan")


# ---- many faults at once


Cells = list[list[str]]


def _in_column(cells: Cells, draw: random.Random, change: Callable[[int, str], str]) -> Cells:
    at = draw.randrange(len(cells[0]))
    return [
        [change(row, cell) if row and place == at else cell for place, cell in enumerate(line)]
        for row, line in enumerate(cells)
    ]


def _some_cells(*words: str) -> Callable[[Cells, random.Random], Cells]:
    def changed(cells: Cells, draw: random.Random) -> Cells:
        word, share = draw.choice(words), draw.choice((0.03, 0.1, 0.6))
        return _in_column(cells, draw, lambda row, cell: word if draw.random() < share else cell)

    return changed


def _whole_column(*forms: Callable[[int], str]) -> Callable[[Cells, random.Random], Cells]:
    def changed(cells: Cells, draw: random.Random) -> Cells:
        form = draw.choice(forms)
        return _in_column(cells, draw, lambda row, cell: form(row))

    return changed


def _written_otherwise(cells: Cells, draw: random.Random) -> Cells:
    form = draw.choice(("{:.3f} %", "{:,.2f}", "{:.2e}", '"{:.3f}"', "{:.0f}", " {:.4f} ", "{:.2f}$", "{:+.3f}"))
    comma = draw.random() < 0.4

    def changed(row: int, cell: str) -> str:
        try:
            text = form.format(1000 * float(cell))
        except ValueError:
            return cell
        return text.translate(str.maketrans(",.", ".,")) if comma else text

    return _in_column(cells, draw, changed)


def _names(cells: Cells, draw: random.Random) -> Cells:
    name = draw.choice(("", "a", "y", "v [m/s]", "T (K)", "pi", "2nd", "x (mean)", "#", "größe", "a b", "n" * 300, "1"))
    at = draw.randrange(len(cells[0]))
    return [[*cells[0][:at], name, *cells[0][at + 1 :]], *cells[1:]]


def _lines_more(cells: Cells, draw: random.Random) -> Cells:
    width = len(cells[0])
    line = draw.choice(
        (["# a comment"], ["%"], ["[m]"] * width, ["m/s", "-", "kg"][:width], ["", ""], ["1"] * (width + 2))
    )
    at = draw.choice((0, 1, 1, 1, draw.randrange(len(cells) + 1)))
    return [*cells[:at], line, *cells[at:]]


def _columns_more(cells: Cells, draw: random.Random) -> Cells:
    kind = draw.choice(("empty", "index", "copy", "constant"))
    if kind == "empty":
        return [[*line, ""] for line in cells]
    if kind == "index":
        return [["" if not row else str(row), *line] for row, line in enumerate(cells)]
    if kind == "copy":
        return [[*line, "twin" if not row else line[-1]] for row, line in enumerate(cells)]
    return [[*line, "still" if not row else "5"] for row, line in enumerate(cells)]


DIRT = (
    _some_cells("", "NA", "n/a", "-", "?", "inf", "-inf", "broken", "1e400", "None", "\x00", '"'),
    _some_cells("", "NA", "?", "inf", "broken"),
    _whole_column(lambda k: "north" if k % 3 else "south", lambda k: f"text {k}", lambda k: "same", lambda k: ""),
    _whole_column(
        lambda k: f"2020-01-{k % 28 + 1:02}", lambda k: f"{k % 12 + 1}/{k % 9 + 1}/2020",
        lambda k: f"{k % 28 + 1}.2.2020",
    ),
    _whole_column(
        lambda k: f'"{k},250"', lambda k: f'"{k},5"', lambda k: f"{k} 000", lambda k: str(k % 2 == 0), lambda k: "5"
    ),
    _written_otherwise, _names, _names, _lines_more, _columns_more,
)  # fmt: skip


def _dirty(seed: int) -> bytes:
    draw = random.Random(seed)
    numbers = np.random.default_rng(seed).uniform(1, 9, (draw.choice((8, 12, 30, 30, 30)), 2))
    cells = [["a", "b", "y"], *([f"{a:.5g}", f"{b:.5g}", f"{a * b:.5g}"] for a, b in numbers)]
    for _ in range(draw.choice((1, 1, 2, 3, 4))):
        cells = draw.choice(DIRT)(cells, draw)
    mark = draw.choice((",",) * 6 + (";", "\t", "|", " "))
    return "\n".join(mark.join(line) for line in cells).encode(draw.choice(("utf-8",) * 9 + ("utf-16", "utf-8-sig")))


# What can only be known of the rows and columns that are left.
LATER = {"a constant column", "a constant target", "too few rows", "an input that is a copy of the target"}


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
@pytest.mark.parametrize("start", range(0, 500, 100))
def test_a_dirty_table_is_read_or_told_in_one_message_and_what_that_says_mends_it(start: int, tmp_path: Path) -> None:
    path, told, mended = tmp_path / "t.csv", 0, 0
    for seed in range(start, start + 100):
        path.write_bytes(_dirty(seed))
        found = _outcome(path)
        if isinstance(found, TableError) and all(fault.mends for fault in found.faults):
            told, again = told + 1, _outcome(path, *found.words)
            mended += isinstance(again, np.ndarray)
            assert not isinstance(again, TaskError) or {fault.what for fault in again.faults} <= LATER, (seed, again)
    assert told > 25 and mended > 0.9 * told


def _outcome(path: Path, *words: str) -> np.ndarray | TaskError:
    try:
        rows = _rows(_read(path, *words))
    except TaskError as error:
        assert "\n" not in str(error) and len(str(error)) < 1500
        return error
    assert np.isfinite(rows).all()
    return rows


def _rows(task: Task) -> np.ndarray:
    data = task.data(0)
    return np.concatenate([np.hstack([data.x_train, data.y_train]), np.hstack([data.x_test, data.y_test])])
