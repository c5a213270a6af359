"""What `make docs` adds to the pages: an API reference from the stubs, and the files outside docs/ that pages link."""

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bimt_train", "bimt_analyze")
# Pages outside docs/ that are part of the site under the same path.
OUTSIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/RESULTS.md")


@dataclass(frozen=True)
class Room:
    """One package of the two: its stub says which names are public, and where each is defined."""

    path: str
    summary: str
    names: dict[str, str]

    @property
    def page(self) -> str:
        """The reference page, relative to docs/."""
        return f"reference/{self.path}.md"


def rooms(root: Path = ROOT) -> tuple[Room, ...]:
    """Every package with a stub, the whole before its rooms."""
    stubs = [stub for package in PACKAGES for stub in (root / package).rglob("__init__.pyi")]
    found = [_room(stub, root) for stub in stubs]
    return tuple(sorted(found, key=lambda room: (PACKAGES.index(room.path.split(".")[0]), room.path)))


def reference_page(room: Room, every: tuple[Room, ...]) -> str:
    """The page of a room: each name in full once, in the deepest room that exports it, and a link elsewhere."""
    inner = [other for other in every if other.path.startswith(f"{room.path}.")]
    here = [name for name in room.names if _home(room, name, inner) is None]
    lines = [f"# {room.path}", "", room.summary, ""]
    if inner:
        lines += ["| room | what it is for |", "|---|---|"]
        lines += [f"| [{other.path}]({other.path}.md) | {other.summary} |" for other in inner] + [""]
    linked = {name: home for name in room.names if (home := _home(room, name, inner))}
    if linked:
        links = [f"[`{name}`]({home.path}.md#{home.path}.{name})" for name, home in sorted(linked.items())]
        lines += ["Also exported here: " + ", ".join(links) + ".", ""]
    if here:
        lines += ["| name | what it is |", "|---|---|"]
        said = {name: _cell(first_line(room.names[name])) for name in here}
        lines += [f"| [`{name}`](#{room.path}.{name}) | {text} |" for name, text in said.items()] + [""]
    for name in here:
        lines += [f"::: {room.path}.{name}", ""]
    return "\n".join(lines)


def first_line(origin: str, root: Path = ROOT) -> str:
    """The first line of what is written on a function, class or constant, at `package.module.name`."""
    module, _, name = origin.rpartition(".")
    file = root.joinpath(*module.split(".")).with_suffix(".py")
    body = ast.parse(file.read_text()).body if file.is_file() else []
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.FunctionDef | ast.ClassDef) and statement.name == name:
            return (ast.get_docstring(statement) or "").split("\n")[0]
        if name in _assigned(statement) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            return str(after.value.value).split("\n")[0]
    return ""


def _assigned(statement: ast.stmt) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _cell(text: str) -> str:
    """The text as a cell of a table: outside code, what Markdown would read as its own is escaped."""
    parts = text.replace("``", "`").split("`")
    return "`".join(part if i % 2 else re.sub(r"([|[*_])", r"\\\1", part) for i, part in enumerate(parts))


def _home(room: Room, name: str, inner: list[Room]) -> Room | None:
    """The deeper room that exports the same object."""
    origin = room.names[name]
    same = [other for other in inner if other.names.get(name) == origin]
    by_reexport = [other for other in inner if origin == f"{other.path}.{name}" and name in other.names]
    return next(iter([*same, *by_reexport]), None)


def _room(stub: Path, root: Path) -> Room:
    path = ".".join(stub.parent.relative_to(root).parts)
    names = {}
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.module:  # `from . import room` names a room, not an object
            names |= {alias.asname or alias.name: f"{path}.{node.module}.{alias.name}" for alias in node.names}
    text = ast.get_docstring(ast.parse(stub.with_suffix(".py").read_text())) or ""
    return Room(path, text.split("\n\n")[0].replace("\n", " "), names)


# The three functions that mkdocs calls.


def on_config(config: Any) -> Any:
    """Put the reference pages into the navigation."""
    sections = defaultdict(list)
    for room in rooms():
        sections[room.path.split(".")[0]].append({room.path: room.page})
    config.nav.append({"API reference": [{package: pages} for package, pages in sections.items()]})
    config.watch += [str(ROOT / package) for package in PACKAGES]
    return config


def on_files(files: Any, *, config: Any) -> Any:
    """Add the reference pages, the pages outside docs/, and what these and the others link."""
    from mkdocs.structure.files import File

    every = rooms()
    for room in every:
        files.append(File.generated(config, room.page, content=reference_page(room, every)))
    linked = {target for page in (ROOT / "docs").glob("*.md") for target in _links_outside(page)}
    for target in sorted({*OUTSIDE, *linked}):
        if (ROOT / target).is_file():
            files.append(File.generated(config, target, abs_src_path=str(ROOT / target)))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Point links that leave docs/ to where the site keeps those files."""
    if page.file.src_uri in OUTSIDE:
        here = (ROOT / page.file.src_uri).parent

        def inside(found: re.Match[str]) -> str:
            target = (here / found[1]).resolve()
            if not target.is_file():
                return found[0]
            up = "../" * (len(Path(page.file.src_uri).parts) - 1)
            return f"]({up}{target.relative_to(ROOT).as_posix().removeprefix('docs/')})"

        return re.sub(r"\]\((?!http)([^)#]+)\)", inside, markdown)
    return markdown.replace("](../", "](") if "/" not in page.file.src_uri else markdown


def _links_outside(page: Path) -> list[str]:
    return re.findall(r"\]\(\.\./([^)#]+)\)", page.read_text())
