"""Every public name is documented in the numpydoc form: each parameter named, an example, a first line of its own."""

import functools
import json
import re
import sys
from pathlib import Path

import griffe
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import _reference  # noqa: E402  # the site's own list of public names

# A first line is read alone, in a table or a tooltip, where these point at nothing.
DEPENDENT = re.compile(r"(The same|Both|Its|See|Theirs|Likewise|Those|That)\b")
NAMING = ("parameters", "other parameters", "attributes")


@functools.cache
def public_packages() -> dict[str, griffe.Module]:
    """Both packages, read and not imported."""
    return {name: griffe.load(name, search_paths=[ROOT]) for name in _reference.PACKAGES}


@functools.cache
def public_objects() -> dict[str, griffe.Object]:
    """Each public function and class once, by its first path; constants and type aliases have no docstring."""
    packages = public_packages()
    found: dict[str, tuple[str, griffe.Object]] = {}
    for room in _reference.rooms():
        for name in room.names:
            package, *rest = f"{room.path}.{name}".split(".")
            each = packages[package][tuple(rest)]
            each = each.final_target if each.is_alias else each
            if each.is_function or each.is_class:
                found.setdefault(each.path, (f"{room.path}.{name}", each))
    return dict(sorted(found.values(), key=lambda pair: pair[0]))


def parameters(each: griffe.Object) -> list[str]:
    """What a caller may give: the names of the signature, or the fields of a dataclass."""
    names = [parameter.name.lstrip("*") for parameter in each.parameters]
    bases = each.mro() if each.is_class else []  # what a base class explains, its heirs need not explain again
    inherited = set().union(*(explained(base.docstring.value) for base in bases if base.docstring))
    return [name for name in names if name not in {"self", "cls"} | inherited and not name.startswith("_")]


def explained(text: str) -> set[str]:
    """The parameters and attributes that a docstring names."""
    sections = griffe.Docstring(text).parse("numpy", warnings=False)
    return {entry.name.lstrip("*") for part in sections if part.kind.value in NAMING for entry in part.value}


def missing(text: str, parameters: list[str]) -> list[str]:
    """What a docstring lacks."""
    if not text:
        return ["a docstring"]
    lacks = []
    first = text.splitlines()[0]
    if DEPENDENT.match(first) or not first.endswith((".", "?")):
        lacks.append(f"a first line that stands alone ({first!r})")
    sections = griffe.Docstring(text).parse("numpy", warnings=False)
    if unnamed := [name for name in parameters if name not in explained(text)]:
        lacks.append(f"parameters {', '.join(unnamed)}")
    examples = [str(part.value) for part in sections if part.kind.value == "examples"]
    if not any(">>>" in example for example in examples):
        lacks.append("an Examples section with >>>")
    if re.search(r"^(Args|Attributes|Raises|Returns|Examples?):$", text, re.MULTILINE):
        lacks.append("the numpydoc form of sections such as Args:")
    return lacks


def test_the_public_names_are_found():
    found = public_objects()
    assert len(found) > 200
    ways = [name for room in _reference.rooms() for name in room.names]
    assert {path.rpartition(".")[2] for path in found} <= set(ways)
    assert {"bimt_train.train", "bimt_train.layouts.Group", "bimt_analyze.audits.significance"} <= set(found)
    assert parameters(found["bimt_train.layouts.Group"])[0] == "name"  # of a dataclass
    assert "source" in parameters(found["bimt_analyze.analyze"])


def code_of(file: Path) -> str:
    """The code of a guide: of a page its blocks and what stands between backticks, of a notebook its cells."""
    text = file.read_text()
    if file.suffix == ".ipynb":
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(text)["cells"]]
        return "\n".join(source if kind == "code" else code_in(source) for kind, source in cells)
    return code_in(text) if file.suffix == ".md" else text


def code_in(page: str) -> str:
    """The code of a page of Markdown."""
    blocks = re.findall(r"^```.*?^```", page, re.MULTILINE | re.DOTALL)
    words = re.findall(r"`[^`\n]+`", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL))
    return "\n".join(blocks + words)


@functools.cache
def guides() -> str:
    """The code of all guides."""
    pages = ("README.md", "CONTRIBUTING.md", "docs/*.md", "docs/tutorials/*.ipynb", "docs/extending/*.py")
    return "\n".join(code_of(file) for page in (*pages, "examples/*.py") for file in sorted(ROOT.glob(page)))


def signature(each: griffe.Object) -> set[str]:
    """The words of the types that a function, or the public methods of a class, take and give."""
    public = [name for name in each.functions if name == "__init__" or not name.startswith("_")]
    methods = [each.functions[name] for name in public] if each.is_class else []
    found = [each, *methods] if each.is_function else methods
    types = [one.returns for one in found] + [given.annotation for one in found for given in one.parameters]
    return set(re.findall(r"\w+", " ".join(map(str, types))))


def test_a_public_name_is_one_that_users_need():
    """The code of a guide has it, or the signature of another public name."""
    needed = set(re.findall(r"\w+", guides())).union(*(signature(each) for each in public_objects().values()))
    names = [(room.path, name) for room in _reference.rooms() for name in room.names]
    assert {("bimt_train", "train"), ("bimt_analyze", "analyze")} < set(names)
    assert not [f"{room}.{name}" for room, name in names if name not in needed]


def test_a_package_itself_has_what_guides_import_from_it():
    """All else is imported from its room; errors have none."""
    for package in _reference.PACKAGES:
        listed = re.findall(rf"from {package} import (\([^)]*\)|[^\n]*)", guides())
        used = {word for names in listed for word in re.findall(r"\w+", names)}
        used |= set(re.findall(rf"\b{package}\.(\w+)", guides()))
        room = next(room for room in _reference.rooms() if room.path == package)
        errors = {name for name, origin in room.names.items() if origin == f"{package}._errors.{name}"}
        assert len(used & room.names.keys()) > 5
        assert not room.names.keys() - used - errors - {"__version__"}


def test_a_package_lists_its_rooms_with_public_names():
    paths = [room.path.split(".") for room in _reference.rooms()]
    for package in _reference.PACKAGES:
        stub = (ROOT / package / "__init__.pyi").read_text()
        listed = re.findall(r"^from \. import (\w+)", stub, re.MULTILINE)
        assert listed == sorted({path[1] for path in paths if path[0] == package and len(path) == 2})


def test_code_of_a_page_is_what_stands_in_blocks_and_between_backticks():
    assert code_in("The `first` word.\n```python\nsecond\n```\nnot `a\nthird` one").split() == [
        "```python", "second", "```", "`first`"
    ]  # fmt: skip


def test_every_public_docstring_is_complete():
    lacking = {}
    for path, each in public_objects().items():
        if lacks := missing(each.docstring.value if each.docstring else "", parameters(each)):
            lacking[path] = "; ".join(lacks)
    told = "\n".join(f"{path}: {lacks}" for path, lacks in lacking.items())
    assert not lacking, f"{len(lacking)} public docstrings lack something\n{told}"


GOOD = """The sum of two numbers.

Parameters
----------
rows, columns : int
    Two numbers.
**seeds : int
    Others.

Returns
-------
int
    Their sum.

Examples
--------
>>> good(1, 2)
3
"""


def test_a_complete_docstring_lacks_nothing():
    assert missing(GOOD, ["rows", "columns", "seeds"]) == []


@pytest.mark.parametrize(
    ("before", "after", "lacks"),
    [
        ("seeds :", "sed :", "parameters seeds"),
        (">>> good", "good", "an Examples section with >>>"),
        ("The sum of", "The same of", "a first line that stands alone ('The same of two numbers.')"),
        ("Returns\n-------", "Returns:", "the numpydoc form of sections such as Args:"),
    ],
)
def test_what_is_missing_is_named(before, after, lacks):
    assert before in GOOD
    assert missing(GOOD.replace(before, after), ["rows", "columns", "seeds"]) == [lacks]
