"""What the tokens of a folder are called: from its tokenizer's files, or their numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...._errors import CheckpointError
from ._config import read_json

LONGEST = 2**26  # bytes of a tokenizer's file
_FILES = ("vocab.json", "tokenizer.json")


def token_labels(folder: Path, tokens: int) -> tuple[tuple[str, ...], str]:
    """Read what each token is called.

    Parameters
    ----------
    folder : Path
        The folder.
    tokens : int
        How many tokens the network has. Those without a name in the file are called by their number.

    Returns
    -------
    labels : tuple of str
        One for each token, all different.
    said : str
        A sentence on where they are from.

    Raises
    ------
    CheckpointError
        A file cannot be read, or has tokens that the network lacks.

    Examples
    --------
    >>> token_labels(Path("nowhere"), 3)[0]
    ('0', '1', '2')
    """
    named: dict[int, str] = {}
    files = [folder / name for name in _FILES if (folder / name).is_file()]
    for path in files[:1]:
        named = _named(path)
        beyond = max(named, default=0)
        if beyond >= tokens:
            raise CheckpointError(
                "a vocabulary that does not fit the network", where=f"{path}, token {named[beyond]!r:.40}",
                expected=f"numbers below {tokens}, the vocab_size", got=str(beyond),
                hint="the tokenizer is another model's: move its files away, and tokens are called by number",
            )  # fmt: skip
    said = f"tokens are called as in {files[0].name}" if files else "tokens are called by their numbers"
    texts = set(named.values())
    if len(texts) < len(named):
        raise CheckpointError("a vocabulary with a text for two tokens", where=str(files[0]), hint="copy it again")
    # a token that is called "7" in the file may be another than the nameless token 7
    return tuple(
        named[number] if number in named else f"#{number}" if str(number) in texts else str(number)
        for number in range(tokens)
    ), said


def _named(path: Path) -> dict[int, str]:
    content = read_json(path, LONGEST)
    try:
        if path.name == "vocab.json":
            pairs = list(content.items())
        else:
            vocabulary: Any = content["model"]["vocab"]
            if isinstance(vocabulary, Mapping):
                pairs = list(vocabulary.items())
            else:  # texts with their scores, in order
                pairs = [(entry[0], number) for number, entry in enumerate(vocabulary)]
            added = [(entry["content"], entry["id"]) for entry in content.get("added_tokens") or []]
            pairs = [*dict([*pairs, *added]).items()]
        found = {number: text for text, number in pairs}
        if not all(type(number) is int and number >= 0 and isinstance(text, str) for number, text in found.items()):
            raise TypeError("texts with whole numbers are expected")
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise CheckpointError(
            "a vocabulary that cannot be read", where=str(path), expected="texts with their numbers",
            got=f"{type(error).__name__}: {error}"[:120], hint="copy it again",
        ) from None  # fmt: skip
    return found
