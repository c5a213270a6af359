"""The notebooks run from the first cell to the last, show little, and become pages of the site."""

import json
import re
import shutil
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import _tutorials  # noqa: E402

MOST_SHOWN = 5000  # characters of a cell, pictures aside
BRIEF = "time_limit=0.5, refit_steps=0, samples=20"
SHORTER = {
    "seeds=10": "seeds=1",
    "seeds=8": "seeds=2",
    "seeds=4": "seeds=1",
    "steps=1500": "steps=100",
    "samples=100": "samples=20",
    "audit(model,": "audit(model, refit_steps=0,",
    "refit_steps=20": "refit_steps=0",
    "analyze(runs.best.checkpoint": f"analyze(runs.best.checkpoint, {BRIEF}",
    "seeds=1).best.checkpoint)": f"seeds=1).best.checkpoint, {BRIEF})",
    "samples=50)": f"{BRIEF})",
    "circuit_of(run.checkpoint": "circuit_of(run.checkpoint, refit_steps=0",
    'out=folder / "audits"': 'out=folder / "audits", processes=1',
}
BOOKS = {notebook.stem: nbformat.read(notebook, as_version=4) for notebook in _tutorials.NOTEBOOKS}


# Runs cells as a notebook's kernel does, and keeps what each shows.
CELLS = """
import json
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
class Shell(InteractiveShell):
    def enable_gui(self, gui=None):
        pass
shell, shown = Shell.instance(), []
shell.enable_matplotlib("inline")
for source in json.loads(Path("cells.json").read_text()):
    with capture_output() as said:
        done = shell.run_cell(source)
    done.raise_error()
    shown.append([{"text": said.stdout}, {"text": said.stderr}, *({"data": one.data} for one in said.outputs)])
Path("shown.json").write_text(json.dumps(shown))
"""


def code(book) -> list:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def shown(outputs) -> str:
    """What a reader sees of a cell, pictures aside; of several forms of one thing the longest."""
    forms = ([output.get("text", ""), *output.get("data", {}).items()] for output in outputs)
    return "\n".join(max((text_of(form) for form in each), key=len) for each in forms)


def text_of(form: str | tuple[str, str]) -> str:
    kind, text = ("text/plain", form) if isinstance(form, str) else form
    return text if kind.startswith("text/") else ""


def shortened(source: str) -> str:
    for long, short in SHORTER.items():
        source = source.replace(long, short)
    return source


def test_what_is_shortened_is_there():
    sources = "\n".join(cell.source for book in BOOKS.values() for cell in code(book))
    for long, short in SHORTER.items():
        assert long in sources, long
        sources = sources.replace(long, short)


@pytest.mark.parametrize("name", BOOKS)
def test_a_notebook_runs_and_shows_little(name, go, tmp_path):
    shutil.copytree(ROOT / "examples" / "data", tmp_path / "examples" / "data")
    place, cells = tmp_path / "docs" / "tutorials", code(BOOKS[name])
    place.mkdir(parents=True)
    (place / "cells.json").write_text(json.dumps([shortened(cell.source) for cell in cells]))
    done = go(["python", CELLS], place)
    assert done.status == 0, done.stdout + done.stderr
    outputs = json.loads((place / "shown.json").read_text())
    assert len(outputs) == len(cells) and max(len(shown(each)) for each in outputs) <= MOST_SHOWN
    assert [has_picture(each) for each in outputs] == [has_picture(cell.outputs) for cell in cells]


def has_picture(outputs) -> bool:
    return any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("name", BOOKS)
def test_a_notebook_is_kept_as_it_ran(name):
    cells = code(BOOKS[name])
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)
    assert not any(output.output_type == "error" for cell in cells for output in cell.outputs)
    assert max(len(shown(cell.outputs)) for cell in cells) <= MOST_SHOWN


def test_ten_lines_lead_from_a_table_to_its_laws():
    first = code(BOOKS["law-from-a-table"])[0]
    assert len([line for line in first.source.splitlines() if line.strip()]) <= 10
    assert "exact" in shown(first.outputs)


@pytest.mark.parametrize("notebook", _tutorials.NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_links_and_pictures_of_a_page_are_there(notebook):
    text, pictures = _tutorials.page_of(notebook)
    assert "](../../" not in text and text.startswith("# ")
    drawn = re.findall(r"!\[[^]]+\]\(([^)]+)\)", text)
    assert {*drawn} == {*pictures} and all(content.startswith(b"\x89PNG") for content in pictures.values())
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", "".join(c.source for c in BOOKS[notebook.stem].cells)):
        assert (notebook.parent / target).exists(), target


def test_every_notebook_is_a_page_of_the_site_and_of_the_readme():
    for name in BOOKS:
        assert f"tutorials/{name}.md" in (ROOT / "mkdocs.yml").read_text()
        assert f"tutorials/{name}.ipynb" in (ROOT / "docs" / "index.md").read_text()
        assert f"tutorials/{name}.ipynb" in (ROOT / "README.md").read_text()
