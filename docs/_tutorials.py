"""What `make docs` makes of the tutorials: each notebook as a page, with what its cells showed when they were run."""

import re
from pathlib import Path
from typing import Any

from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "docs" / "tutorials").glob("*.ipynb"))

_OUTSIDE = re.compile(r"\]\(\.\./\.\./([^)#]+)")  # links from docs/tutorials to what is no page of docs/


def page_of(notebook: Path) -> tuple[str, dict[str, bytes]]:
    """The notebook as Markdown for the site, and its pictures by name. Nothing is run."""
    text, found = MarkdownExporter().from_filename(str(notebook), resources={"unique_key": notebook.stem})
    text = re.sub(r"<style scoped>.*?</style>", "", text, flags=re.DOTALL)  # tables look as all on the site
    text = text.replace('<table border="1" class="dataframe">', "<table>")
    text = _OUTSIDE.sub(r"](../\1", text).replace("![png]", "![what the lines above drew]")
    title, _, rest = text.partition("\n")
    link = f"[This page is a notebook]({notebook.name}), to run and to change. Here is what it shows."
    return f"{title}\n\n{link}\n{rest}", {name: bytes(content) for name, content in found["outputs"].items()}


def on_files(files: Any, *, config: Any) -> Any:
    """What mkdocs calls to add pages, their pictures, and the files outside docs/ that they link."""
    from mkdocs.structure.files import File

    for notebook in NOTEBOOKS:
        text, pictures = page_of(notebook)
        files.append(File.generated(config, f"tutorials/{notebook.stem}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=content))
        for target in sorted({*_OUTSIDE.findall(notebook.read_text())}):
            if files.get_file_from_path(target) is None:
                files.append(File.generated(config, target, abs_src_path=str(ROOT / target)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """On the site, a link to a notebook leads to its page."""
    return re.sub(r"\]\((tutorials/[\w-]+)\.ipynb\)", r"](\1.md)", markdown)
