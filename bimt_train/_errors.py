"""The errors that users see. Each is one line: what was wrong, where, what was expected, what came, and a hint."""

from typing import ClassVar

LONGEST = 400  # letters of one piece of a message


class InputError(ValueError):
    """Something the caller gave cannot be used.

    The message is one line, ``what: where: expected ..., got ...; hint: ...``, with the empty pieces left out. A long
    piece loses its middle, and a character that no terminal should get stands as its escape.

    Parameters
    ----------
    what : str
        What was wrong, in a few words. The first piece of the line.
    where : str, optional
        The place: a file, a field, a tensor and its axis, a column of a text.
    expected : str, optional
        What would have been accepted there.
    got : str, optional
        What was found instead.
    hint : str, optional
        What to do about it.

    Examples
    --------
    >>> str(InputError("wrong size", where="tensor 'w', axis 0 ('x')", expected="4", got="5", hint="transpose it"))
    "wrong size: tensor 'w', axis 0 ('x'): expected 4, got 5; hint: transpose it"
    """

    longest: ClassVar[int] = LONGEST

    def __init__(self, what: str, *, where: str = "", expected: str = "", got: str = "", hint: str = "") -> None:
        self.what, self.where, self.expected, self.got, self.hint = what, where, expected, got, hint
        what, where, expected, got, hint = (_plain(piece, self.longest) for piece in (what, where, expected, got, hint))
        contrast = ", ".join(f"{word} {said}" for word, said in (("expected", expected), ("got", got)) if said)
        line = ": ".join(piece for piece in (what, where, contrast) if piece)
        super().__init__(f"{line}; hint: {hint}" if hint else line)


def _plain(text: str, longest: int) -> str:
    """A text as it may stand in a line: of what came from a file, anything may be in it."""
    text = " ".join(text.split())
    if len(text) > longest:
        text = f"{text[: 2 * longest // 3]} ... {text[-longest // 4 :]}"
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class PatternError(InputError):
    """A pattern string does not parse, or does not fit the tensor that it describes.

    Parameters
    ----------
    what, where, expected, got, hint : str
        The pieces of the message, as `InputError` takes them.

    Examples
    --------
    >>> from bimt_train.layouts import parse_pattern
    >>> try:
    ...     parse_pattern("(h x")
    ... except PatternError as error:
    ...     print(error.got)
    a parenthesis is not closed
    """


class LayoutError(InputError):
    """A layout contradicts itself, or the module that it describes.

    Parameters
    ----------
    what, where, expected, got, hint : str
        The pieces of the message, as `InputError` takes them.

    Examples
    --------
    >>> from bimt_train.layouts import Group
    >>> try:
    ...     Group.line("h", 6, heads=4)
    ... except LayoutError as error:
    ...     print(error.expected)
    a divisor of 6
    """


class CheckpointError(InputError):
    """A checkpoint file, or a file of weights, cannot be read as what it claims to be.

    Parameters
    ----------
    what, where, expected, got, hint : str
        The pieces of the message, as `InputError` takes them.

    Examples
    --------
    >>> from bimt_train.checkpoints import load_checkpoint
    >>> try:
    ...     load_checkpoint("nowhere.safetensors")
    ... except CheckpointError as error:
    ...     print(error.what)
    no such file
    """


class ExpressionError(InputError):
    """The text of a formula is outside the small language that is accepted.

    Parameters
    ----------
    what, where, expected, got, hint : str
        The pieces of the message, as `InputError` takes them.

    Examples
    --------
    >>> from bimt_train.tasks import formula_task
    >>> try:
    ...     formula_task("2x")
    ... except ExpressionError as error:
    ...     print(error.hint)
    write 2*x for 2x
    """


class TaskError(InputError):
    """A task, its decomposition, or the table it is read from, cannot be used.

    Parameters
    ----------
    what, where, expected, got, hint : str
        The pieces of the message, as `InputError` takes them.

    Examples
    --------
    >>> from bimt_train.expressions import Decomposition
    >>> try:
    ...     Decomposition.from_grouping("y1 x1")
    ... except TaskError as error:
    ...     print(error.expected)
    'y1: x1 x3; y2: x2 x4'
    """
