"""One registry for all kinds: by name, by file, by module; nothing half-registered can be used."""

import sys
from dataclasses import dataclass

import pytest

from bimt_train import InputError
from bimt_train.registry import Entry, Registry, load_file


@dataclass(frozen=True, kw_only=True)
class Colour(Entry):
    code: str


def registry(builtin=None) -> Registry[Colour]:
    return Registry("colour", Colour, builtin=builtin or {}, group="bimt.test-colours")


def red() -> str:
    return "red"


def blue() -> str:
    return "blue"


ABOUT = {"label": "a label", "sentence": "A sentence.", "code": "#f00"}


def test_an_entry_is_found_by_its_name_with_all_that_it_says() -> None:
    colours = registry()
    assert colours.register("red", **ABOUT)(red) is red
    assert colours.names() == ("red",) and "red" in colours and list(colours) == ["red"]
    assert (colours["red"].function, colours["red"].code, colours["red"].label) == (red, "#f00", "a label")
    assert colours.entries() == (colours["red"],)


@pytest.mark.parametrize("missing", ["label", "sentence", "code"])
def test_what_is_half_registered_is_refused(missing: str) -> None:
    about = {name: value for name, value in ABOUT.items() if name != missing}
    with pytest.raises((InputError, TypeError), match=missing):
        registry().register("red", **about)(red)


@pytest.mark.parametrize("field", ["label", "sentence"])
def test_an_empty_field_is_a_missing_one(field: str) -> None:
    with pytest.raises(InputError, match=rf"half-registered colour: 'red': expected a {field}"):
        registry().register("red", **{**ABOUT, field: " "})(red)


def test_a_name_that_is_taken_is_refused_and_the_same_function_may_come_again() -> None:
    colours = registry()
    colours.register("red", **ABOUT)(red)
    colours.register("red", **ABOUT)(red)
    with pytest.raises(InputError, match="one name for two entries: colour 'red'"):
        colours.register("red", **ABOUT)(blue)
    assert colours["red"].function is red


def test_unknown_names_are_refused_with_the_nearest() -> None:
    colours = registry()
    colours.register("magenta", **ABOUT)(red)
    with pytest.raises(
        InputError, match=r"unknown colour: expected magenta, or file.py:NAME, got 'magneta'; hint: did"
    ):
        colours["magneta"]


def test_a_module_that_does_not_register_what_the_table_says_is_refused() -> None:
    with pytest.raises(InputError, match="half-registered colour: json: expected 'green'"):
        registry({"green": "json"})["green"]


SOURCE = """
from {module} import COLOURS
@COLOURS.register("green", label="green", sentence="Paints in green.", code="#0f0")
def green():
    return "green"
def plain():
    return "plain"
"""
COLOURS = registry()


def test_an_entry_of_a_users_file(tmp_path, monkeypatch) -> None:
    file = tmp_path / "mine.py"
    file.write_text(SOURCE.format(module=__name__))
    monkeypatch.chdir(tmp_path)
    assert COLOURS["mine.py:green"].function() == "green"
    assert COLOURS["green"] is COLOURS["mine.py:green"]
    assert load_file("mine.py") is load_file(file)
    assert COLOURS.reference("mine.py:green") == f"{file}:green" and COLOURS.reference("green") == "green"
    with pytest.raises(InputError, match=r"no colour: mine.py:plain: expected a function or class with the registry"):
        COLOURS["mine.py:plain"]
    with pytest.raises(InputError, match=r"no such name in the file: mine.py:gren: .*did you mean green"):
        COLOURS["mine.py:gren"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("none.py:green", "no such file: none.py"),
        ("no_such_module_at_all:green", "a module that cannot be imported: no_such_module_at_all:green"),
        ("broken.py:green", "a file that cannot be run: broken.py: got ZeroDivisionError"),
    ],
)
def test_files_that_cannot_be_used_are_one_line(place: str, said: str, tmp_path, monkeypatch) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        registry()[place]
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_an_entry_of_an_installed_package(tmp_path, monkeypatch) -> None:
    about = tmp_path / "colours-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: colours\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[bimt.test-colours]\nviolet = installed_colours:violet\n")
    (tmp_path / "installed_colours.py").write_text(
        f"from {__name__} import COLOURS\n"
        "@COLOURS.register('violet', label='violet', sentence='Paints in violet.', code='#808')\n"
        "def violet():\n    return 'violet'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(COLOURS, "_points", None)  # as in a process that starts now
    assert "violet" in COLOURS.names()
    assert COLOURS["violet"].code == "#808"


def test_what_is_built_in_keeps_its_name_though_it_was_not_asked_for_yet(tmp_path, monkeypatch) -> None:
    colours = registry({"green": "builtin_green"})
    monkeypatch.setattr(sys.modules[__name__], "COLOURS", colours)
    (tmp_path / "builtin_green.py").write_text(SOURCE.format(module=__name__))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "builtin_green", raising=False)
    with pytest.raises(InputError, match="one name for two entries: colour 'green'"):
        colours.register("green", **ABOUT)(blue)
    assert colours["green"].function() == "green"
