"""Numpydoc's references, which are reStructuredText, as the Markdown that the site is made of."""

import re
from typing import Any

import griffe


class NumpydocReferences(griffe.Extension):
    """`[1]_` in a text becomes `[1]`, and `.. [1] Author, Title` an item of a list."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of each module, class, function and constant."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """The docstring with its references as Markdown."""
    text = re.sub(r"\[(\w+)\]_(?!\w)", r"[\1]", text)
    return re.sub(r"^(\s*)\.\. \[(\w+)\] ", r"\1- [\2] ", text, flags=re.MULTILINE)
