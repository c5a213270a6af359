"""The characters of a text, each to be told from those before it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from .._errors import TaskError
from ..checkpoints._task_spec import TaskCard
from ..models._model_spec import ModelSpec
from ._column_names import safe_names
from ._task import Dataset, Task

TRAINING = 0.9  # share of the text, from its beginning
MEND = "name a text in UTF-8: --data FILE.txt"


@dataclass(frozen=True, eq=False)
class TextSampler:
    """Windows of a text, and for each the window one character on; at most so many, however long the text is.

    Seed s trains on windows of the first nine tenths that begin at random places, drawn by
    ``np.random.default_rng(s)``. All seeds are tested on the same windows of the last tenth, evenly spaced, that
    overlap only if they must.

    Attributes:
        tokens: the text, characters by number.
        context: characters of a window.
        rows: windows for training and testing, at most.
    """

    tokens: Int64[np.ndarray, " characters"]
    context: int
    rows: tuple[int, int]

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed."""
        train, test = np.split(self.tokens, [round(TRAINING * len(self.tokens))])
        last = len(train) - self.context - 1
        drawn = np.random.default_rng(seed).integers(0, last + 1, min(self.rows[0], last + 1))
        last = len(test) - self.context - 1
        spaced = np.linspace(0, last, min(self.rows[1], last // self.context + 1)).astype(np.int64)
        spaced = np.random.default_rng(0).permutation(spaced)  # so that the first of them are a fair sample
        return Dataset(*self._pairs(train, drawn), *self._pairs(test, spaced))

    def _pairs(
        self, tokens: Int64[np.ndarray, " characters"], starts: Int64[np.ndarray, " rows"]
    ) -> tuple[Float64[np.ndarray, "rows context"], Float64[np.ndarray, "rows context"]]:
        windows = np.lib.stride_tricks.sliding_window_view(tokens, self.context + 1)[starts].astype(np.float64)
        return windows[:, :-1], windows[:, 1:]


def language(
    file: str | Path = "data/language.txt",
    *,
    context: int = 32,
    width: int = 48,
    heads: int = 4,
    layers: int = 2,
    hidden: int = 192,
    rows: tuple[int, int] = (65_536, 2048),
) -> Task:
    """Which character of a text comes next, at each place of a window of it, by a small transformer (`GPT`).

    The vocabulary is every character of the text. The first nine tenths are for training, the rest for testing. The
    loss is in nats a character; divided by log 2 it is bits. Characters at the beginning of a window have little
    before them, and count like all others.

    Args:
        file: a text in UTF-8.
        context: characters of a window.
        width: of the residual stream.
        heads: of each attention; divides width.
        layers: blocks.
        hidden: neurons of each block's MLP.
        rows: windows for training and testing, at most.

    Raises:
        TaskError: no such file, no text, or too little of it.
    """
    text = _text(Path(file))
    characters, tokens = np.unique(np.array(list(text)), return_inverse=True)
    least = 10 * (context + 1)
    if len(text) < least or len(characters) < 2:
        expected, got = f"{least} characters or more, of two kinds", f"{len(text)}, of {len(characters)}"
        raise TaskError("a text too short to learn from", where=str(file), expected=expected, got=got)
    labels = tuple(map(_label, characters.tolist()))
    places = tuple(f"t{place}" for place in range(1, context + 1))
    ranges = ((0, len(labels) - 1),) * context
    card = TaskCard("language", places, safe_names(labels), ranges, loss="next-token", output_labels=labels)
    options = {"tokens": len(labels), "context": context, "width": width, "heads": heads}
    model = ModelSpec("gpt", options | {"layers": layers, "hidden": hidden})
    return Task(card, model, TextSampler(tokens.astype(np.int64), context, rows))


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskError("no text", where=str(file), expected="UTF-8", got=error.reason, mend=MEND) from None
    except OSError as error:
        got = str(error.strerror)
        raise TaskError("a text that cannot be read", where=str(file), got=got, mend=MEND) from None


def characters(card: TaskCard) -> tuple[str, ...]:
    """The characters that the outputs of a language task stand for.

    Raises:
        TaskError: a card of another task.
    """
    if card.loss != "next-token" or card.output_labels is None:
        raise TaskError("no task of characters", where=f"task {card.name!r}", expected="loss next-token", got=card.loss)
    return tuple(label.encode("latin-1", "backslashreplace").decode("unicode_escape") for label in card.output_labels)


def _label(character: str) -> str:
    """The character as it can be shown: spaces and line ends by their escapes, as Python writes them."""
    plain = character.isprintable() and character not in " \\"
    return character if plain else "\\x20" if character == " " else character.encode("unicode_escape").decode()
