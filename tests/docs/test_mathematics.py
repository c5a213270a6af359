"""Formulas of the pages become MathML, and the functions that they are said to live in are there."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown import markdown

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import _mathml  # noqa: E402

PAGES = sorted((ROOT / "docs").glob("*.md"))
NAMED = [found for page in PAGES for found in re.findall(r"\[`([\w.]+)`\]\(\.\./(\S+\.py)\)", page.read_text())]


def html(text: str) -> str:
    extensions, configs = ["pymdownx.arithmatex", "tables"], {"pymdownx.arithmatex": {"generic": True}}
    return _mathml.with_mathml(markdown(text, extensions=extensions, extension_configs=configs))


@pytest.mark.parametrize("page", [page for page in PAGES if "$" in page.read_text()], ids=lambda page: page.name)
def test_no_formula_stays_latex(page):
    made = html(page.read_text())
    assert "arithmatex" not in made and "$" not in re.sub(r"<code.*?</code>", "", made, flags=re.DOTALL)
    for formula in re.findall(r"<math.*?</math>", made, re.DOTALL):
        assert "".join(ElementTree.fromstring(formula).itertext()).strip()


def test_a_formula_is_what_it_says():
    (fraction,) = re.findall(r"<math.*?</math>", html(r"so $\frac{a}{b}$ is"), re.DOTALL)
    (drawn,) = ElementTree.fromstring(fraction).iter("{http://www.w3.org/1998/Math/MathML}mfrac")
    assert ["".join(part.itertext()) for part in drawn] == ["a", "b"]
    (displayed,) = ElementTree.fromstring(html("$$a < b$$"))  # in a box that scrolls where it is wide
    assert displayed.get("display") == "block" and "".join(displayed.itertext()) == "a<b"


def test_an_unknown_command_is_refused():
    with pytest.raises(ValueError, match=r"no such command of LaTeX: \\nonsense"):
        html(r"$\nonsense + 1$")


@pytest.mark.parametrize(("name", "file"), sorted({*NAMED}))
def test_what_is_named_is_defined_in_the_file(name, file):
    *owner, own = name.split(".")
    text = (ROOT / file).read_text()
    assert re.search(rf"^{'    ' if owner else ''}(def|class) {own}\b", text, re.MULTILINE)
    assert not owner or re.search(rf"^class {owner[0]}\b", text, re.MULTILINE)


def test_many_functions_are_named():
    assert len({*NAMED}) > 40
