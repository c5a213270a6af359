"""The built site, read without a browser: links lead somewhere, and every public name has its place."""

import importlib
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import _reference  # noqa: E402


class Page(HTMLParser):
    """The anchors of a page, and what it links and loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.anchors |= {value for name in ("id", "name") if (value := given.get(name))}
        self.links += [value for name in ("href", "src") if (value := given.get(name))]
        if tag in ("script", "img", "link", "iframe") and given.get("rel") != "canonical":
            self.loaded += [value for name in ("href", "src") if (value := given.get(name))]


@pytest.fixture(scope="module")
def pages(site):
    return {file: Page(file.read_text()) for file in sorted(site.rglob("*.html"))}


def broken(site: Path, pages: dict[Path, Page]) -> list[str]:
    """Links within the site that lead to no file, or to no anchor of a page."""
    found = []
    for file, page in pages.items():
        for link in page.links:
            to = urlsplit(link)
            if to.scheme or to.netloc:
                continue
            path = unquote(to.path)
            start = site if path.startswith("/") else file.parent
            target = (start / path.lstrip("/")).resolve() if path else file
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else set()
            if not target.is_file() or (to.fragment and target in pages and unquote(to.fragment) not in anchors):
                found.append(f"{file.relative_to(site)}: {link}")
    return found


def test_every_link_within_the_site_leads_somewhere(site, pages):
    assert len(pages) > 45 and sum(len(page.links) for page in pages.values()) > 5000
    assert broken(site, pages) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path):
    texts = {"a.html": '<p id="here"><a href="b.html#there">', "b.html": '<a href="a.html#here"><img src="c.png">'}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = broken(tmp_path, {tmp_path / name: Page(text) for name, text in texts.items()})
    assert found == ["a.html: b.html#there", "b.html: c.png"]


def test_nothing_is_loaded_from_other_machines(pages):
    assert {one for page in pages.values() for one in page.loaded if urlsplit(one).netloc} == set()


def test_every_public_name_has_an_anchor_or_a_link_to_it(site, pages):
    for room in _reference.rooms():
        page = pages[site / "reference" / f"{room.path}.html"]
        names = {name for name in importlib.import_module(room.path).__all__ if name in room.names}
        assert len(names) > 0
        linked = {link.rpartition(".")[2] for link in page.links if "#bimt_" in link}
        assert {name for name in names if f"{room.path}.{name}" not in page.anchors} <= linked
