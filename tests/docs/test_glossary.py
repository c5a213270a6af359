"""The glossary gives each term one meaning, and no term that nothing uses."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRIES = re.findall(r"^- \*\*(.+?)\*\*: (\S.*)$", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
PAGES = [page for page in (ROOT / "docs").glob("*.md") if page.name != "glossary.md"]
SOURCES = [file for package in ("bimt_train", "bimt_analyze") for file in (ROOT / package).rglob("*.py")]
ELSEWHERE = " ".join(" ".join(file.read_text() for file in (*PAGES, *SOURCES)).split()).lower()


def uses(term: str, text: str = ELSEWHERE) -> bool:
    """Whether a text has the term as words of its own, in the plural or with an underscore too."""
    words = "[ _-]".join(map(re.escape, re.split(r"[ -]", term.lower())))
    return re.search(rf"(?<![a-z]){words}(s|es)?(?![a-z])", text) is not None


def test_every_entry_is_read():
    lines = [line for line in (ROOT / "docs" / "glossary.md").read_text().splitlines() if line.startswith("- ")]
    assert len(lines) == len(ENTRIES) > 60


def test_no_term_has_two_meanings():
    terms = [term.lower() for term, _ in ENTRIES]
    assert len(set(terms)) == len(terms)


@pytest.mark.parametrize("term", [term for term, _ in ENTRIES])
def test_every_term_is_used_outside_the_glossary(term):
    assert uses(term)


def test_a_term_is_found_as_words_of_its_own():
    assert uses("null model", "many null_models") and uses("slot", "its slots.")
    assert not uses("slot", "slotted") and not uses("null model", "null and model")
