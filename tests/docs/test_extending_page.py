"""The page of extensions shows every file beside it and names every kind of entry that there is."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text()


def test_each_file_is_shown_and_used():
    files = {file.name for file in (ROOT / "docs" / "extending").glob("*.py")}
    assert set(re.findall(r'--8<-- "extending/(\w+\.py)"', PAGE)) == files
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
    assert set(re.findall(r"(\w+\.py):\w+", commands)) == files


def test_each_group_of_entry_points_is_named():
    sources = [file for package in ("bimt_train", "bimt_analyze") for file in (ROOT / package).rglob("*.py")]
    text = "\n".join(file.read_text() for file in sources)
    groups = set(re.findall(r'^[^>\n]*group="(bimt\.\w+)"', text, re.MULTILINE))
    assert len(groups) > 5
    assert set(re.findall(r"^\| `(bimt\.\w+)` \|", PAGE, re.MULTILINE)) == groups
