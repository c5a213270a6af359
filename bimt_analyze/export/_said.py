"""What an export says of itself, as text."""

from textwrap import wrap
from typing import Any

from ._parts import Facts, Parts

_WIDTH = 116


def said_of(parts: Parts, facts: Facts) -> str:
    """The comment at the top of a source file.

    Parameters
    ----------
    parts : Parts
        What is written.
    facts : mapping
        What is known of it.

    Returns
    -------
    str
        Lines of text, without the signs of a comment.
    """
    whole = parts.whole
    named = [f"{name} (column {at})" for name, at in zip(whole.inputs, whole.reads, strict=True)]
    paragraphs = [
        f"A network of {whole.multiply_adds:,} weights, written by bimt. It needs <math.h> alone.",
        f"    void {parts.name}(const float *x, float *y, size_t rows);",
        f"    void {parts.name}_all_columns(const float *x, float *y, size_t rows);",
        "    cc -std=c99 -O3 -march=native -ffp-contract=fast -c FILE.c      # link with -lm",
        f"x holds rows of {len(whole.inputs)} inputs; columns are counted from 0: {', '.join(named)}.",
        f"{parts.name}_all_columns reads rows of all {whole.columns} columns that the network was trained on.",
        f"y receives rows of {len(whole.outputs)} outputs: {', '.join(whole.outputs)}.",
        "Units are those of the network itself, in and out.",
    ]
    if len(parts.modules) > 1:
        paragraphs.append(
            f"{len(parts.modules)} modules, a function each; -DTHREADS -pthread shares them out to threads."
        )
    paragraphs += [str(line) for line in facts.get("said", ())]
    lines = [line for text in paragraphs for line in _wrapped(text)]
    return "\n".join(lines)


def checked(facts: dict[str, Any]) -> str:
    """One sentence on the check of an export.

    Parameters
    ----------
    facts : dict
        ``rows``, ``worst``, ``tolerance`` and ``by``.

    Returns
    -------
    str
        The sentence.
    """
    return (
        f"Checked on {facts['rows']:,} rows in {facts['by']}: at most {facts['worst']:.1e} from the network, "
        f"{facts['tolerance']:.0e} of the largest output allowed."
    )


def _wrapped(text: str) -> list[str]:
    return [text] if text.startswith(" ") else wrap(text, _WIDTH)
