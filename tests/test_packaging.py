"""What wheel and source distribution hold, and that what they say of the project is so."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from bimt_train.extras import EXTRAS
from bimt_train.training import TRACKERS

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
PACKAGES = ("bimt_train", "bimt_analyze")
MADE = {".pyc", ".so", ".pyd"}  # by Python and compilers


def files(folder: Path, without: set[str] = MADE) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix not in without)
    return {str(path.relative_to(folder.parent)) for path in found}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The list of files of the source distribution, and a folder with those of the wheel."""
    place = tmp_path_factory.mktemp("built")
    words = ["setup.py", "-q", "egg_info", "--egg-base", str(place), "build_py", "--build-lib", str(place / "lib")]
    subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return set((place / "bimt.egg-info" / "SOURCES.txt").read_text().splitlines()), place / "lib"


def test_the_source_distribution_is_the_repository(built):
    listed, _ = built
    for folder in (*PACKAGES, "tests", "docs", "examples", "benchmarks", ".github"):
        assert files(ROOT / folder) <= listed, folder
    for name in ("README.md", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "Makefile", "mkdocs.yml"):
        assert name in listed
    assert not {name for name in listed if Path(name).suffix in MADE}


def test_the_wheel_holds_both_packages_and_no_sources_of_c(built):
    _, lib = built
    assert {path.name for path in lib.iterdir()} == set(PACKAGES)
    for package in PACKAGES:
        assert files(lib / package, set()) == files(ROOT / package, MADE | {".c", ".h"})


def test_the_extras_that_messages_and_pages_name_exist():
    texts = [path.read_text() for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    texts += [path.read_text() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))]
    named = {extra for text in texts for extra in re.findall(r"'bimt\[([\w,]+)\]'", text)}
    assert {"train", "all", "dask", "keras", "operon"} <= named <= set(PROJECT["optional-dependencies"])


def test_the_registry_of_extras_is_that_of_the_project():
    wanted = {name: set(map(bare, brought)) for name, brought in PROJECT["optional-dependencies"].items()}
    for_developers = {name: wanted.pop(name) for name in ("all", "docs", "dev")}
    assert {extra.name: set(extra.brings) for extra in EXTRAS} == wanted
    together = [name for name in wanted if name not in TRACKERS]
    assert for_developers["all"] == {f"bimt[{','.join(together)}]"} and "bimt[all,docs]" in for_developers["dev"]


def bare(requirement: str) -> str:
    """The package of a requirement, without its versions."""
    return re.split(r"[<>=!~]", requirement)[0].strip()


def test_the_page_on_installation_tells_every_extra():
    page = (ROOT / "docs" / "installation.md").read_text()
    told = [line for line in page.splitlines() if line.startswith("| `")]
    assert told == [f"| `{extra.name}` | {', '.join(extra.brings)} | {extra.purpose} |" for extra in EXTRAS]


def test_the_plain_installation_needs_no_package_of_an_extra():
    plain = {bare(requirement) for requirement in PROJECT["dependencies"]}
    assert not plain & {package for extra in EXTRAS for package in extra.brings}


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    coming = re.findall(r"^## ([\d.]+) ", (ROOT / "CHANGELOG.md").read_text(), re.M)[0]
    assert citation["version"] == coming and citation["license"] == PROJECT["license"]
    assert PYPROJECT["tool"]["setuptools_scm"]["fallback_version"] == f"{coming}.dev0"
    assert citation["authors"] == PROJECT["authors"]
    assert [each["url"] for each in citation["references"]] == list(PROJECT["urls"].values())


def test_the_oldest_versions_that_are_allowed_are_in_the_matrix():
    matrix = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())["jobs"]["test"]["strategy"]
    python = PROJECT["requires-python"].removeprefix(">=")
    (torch,) = (one for one in PROJECT["optional-dependencies"]["train"] if one.startswith("torch"))
    torch = torch.removeprefix("torch>=")
    assert {"python": python, "torch": f"{torch}.*"} in matrix["matrix"]["include"]
    assert python in matrix["matrix"]["python"]
