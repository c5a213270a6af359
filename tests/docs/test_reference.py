"""The API reference has a page for every room, and on them every public name once."""

import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import _numpydoc  # noqa: E402
import _reference  # noqa: E402


def pages() -> dict[str, str]:
    every = _reference.rooms()
    return {room.path: _reference.reference_page(room, every) for room in every}


def test_every_stub_has_a_page():
    stubs = [stub for package in _reference.PACKAGES for stub in (ROOT / package).rglob("__init__.pyi")]
    assert {".".join(stub.parent.relative_to(ROOT).parts) for stub in stubs} == set(pages())


def test_every_public_name_is_written_in_full_or_linked():
    texts = pages()
    for path, text in texts.items():
        folder = ROOT / path.replace(".", "/")
        public = {name for name in importlib.import_module(path).__all__ if not (folder / name).is_dir()}
        in_full = set(re.findall(rf"^::: {re.escape(path)}\.(\w+)$", text, re.MULTILINE))
        linked = re.findall(r"\[`(\w+)`\]\(([\w.]+)\.md#([\w.]+)\)", text)
        assert in_full | {name for name, _, _ in linked} == public
        for name, room, anchor in linked:
            assert anchor == f"{room}.{name}" and f"\n::: {anchor}\n" in texts[room]


def test_no_object_is_written_in_full_twice():
    places = re.findall(r"^::: (\S+)\.(\w+)$", "\n".join(pages().values()), re.MULTILINE)
    origins = {f"{room.path}.{name}": origin for room in _reference.rooms() for name, origin in room.names.items()}
    objects = [_origin(f"{room}.{name}", origins) for room, name in places]
    assert len(objects) > 250
    assert len(set(objects)) == len(objects)


def _origin(path: str, origins: dict[str, str]) -> str:
    """Where an object is defined, through every stub that passes it on."""
    while path in origins:
        path = origins[path]
    return path


def test_a_page_says_what_its_room_is_for():
    assert all(len(room.summary) > 20 for room in _reference.rooms())


def test_the_first_line_of_each_kind_of_object_is_found():
    assert _reference.first_line("bimt_train.layouts._bind.bind").endswith(".")
    assert _reference.first_line("bimt_train.layouts._group.Group").endswith(".")
    assert "statistics" in _reference.first_line("bimt_analyze.audits.chance._statistics.STATISTICS")
    assert _reference.first_line("bimt_train.layouts._bind.nothing") == ""


def test_references_become_a_list():
    assert _numpydoc.as_markdown("By [1]_.\n\n.. [1] A, B.\n   C.") == "By [1].\n\n- [1] A, B.\n   C."
    assert _numpydoc.as_markdown("x[1]_y and a[0]") == "x[1]_y and a[0]"
