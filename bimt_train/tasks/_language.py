"""The characters of a text, each to be told from those before it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from .._errors import TaskError
from ..checkpoints._task_spec import TaskSpec
from ..models._model_spec import ModelSpec
from ._task import Dataset, Task
from ._tasks import TASKS
from .tables.column_names import safe_names

TRAINING = 0.9  # share of the text, from its beginning
HINT = "name a text in UTF-8: --data FILE.txt"


@dataclass(frozen=True, eq=False)
class TextSampler:
    """Windows of a text, and for each the window one character on; at most so many, however long the text is.

    Seed s trains on windows of the first nine tenths that begin at random places, drawn by
    ``np.random.default_rng(s)``. All seeds are tested on the same windows of the last tenth, evenly spaced, that
    overlap only if they must.

    Attributes
    ----------
    tokens : array of int, [characters]
        The text, characters by number.
    context : int
        Characters of a window.
    rows : (int, int)
        Windows for training and testing, at most.
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


@TASKS.register(
    "language",
    label="next character",
    sentence="The next character of a text, at each place of a window.",
    reads="a text in UTF-8",
)
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

    Parameters
    ----------
    file : str or Path
        A text in UTF-8.
    context : int
        Characters of a window.
    width : int
        Width of the residual stream.
    heads : int
        Heads of each attention; divides ``width``.
    layers : int
        Number of blocks.
    hidden : int
        Neurons of each block's MLP.
    rows : (int, int)
        Windows for training and testing, at most.

    Returns
    -------
    Task
        The task, with one output for each character of the vocabulary.

    Raises
    ------
    TaskError
        There is no such file, no text in it, or too little of it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "text.txt"
    >>> written = file.write_text("to be or not to be " * 10)
    >>> characters(language(file, context=4).spec)
    (' ', 'b', 'e', 'n', 'o', 'r', 't')
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
    spec = TaskSpec("language", places, safe_names(labels), ranges, loss="next-token", output_labels=labels)
    options = {"tokens": len(labels), "context": context, "width": width, "heads": heads}
    model = ModelSpec("gpt", options | {"layers": layers, "hidden": hidden})
    return Task(spec, model, TextSampler(tokens.astype(np.int64), context, rows))


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskError("no text", where=str(file), expected="UTF-8", got=error.reason, hint=HINT) from None
    except OSError as error:
        got = str(error.strerror)
        raise TaskError("a text that cannot be read", where=str(file), got=got, hint=HINT) from None


def characters(spec: TaskSpec) -> tuple[str, ...]:
    """The characters that the outputs of a language task stand for.

    Parameters
    ----------
    spec : TaskSpec
        The spec of a language task, as a checkpoint has it.

    Returns
    -------
    tuple of str
        One character for each output.

    Raises
    ------
    TaskError
        The spec is of another task.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "text.txt"
    >>> written = file.write_text("ab" * 50)
    >>> characters(language(file, context=4).spec)
    ('a', 'b')
    """
    if spec.loss != "next-token" or spec.output_labels is None:
        raise TaskError("no task of characters", where=f"task {spec.name!r}", expected="loss next-token", got=spec.loss)
    return tuple(label.encode("latin-1", "backslashreplace").decode("unicode_escape") for label in spec.output_labels)


def _label(character: str) -> str:
    """The character as it can be shown: spaces and line ends by their escapes, as Python writes them."""
    plain = character.isprintable() and character not in " \\"
    return character if plain else "\\x20" if character == " " else character.encode("unicode_escape").decode()
