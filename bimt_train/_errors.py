"""The errors that users see. Each is one line: what was wrong, where, what was expected, what came, how to mend it."""


class InputError(ValueError):
    """Something the caller gave cannot be used.

    The message is one line, ``what: where: expected ..., got ...; mend``, with the empty pieces left out.

    >>> str(InputError("wrong size", where="tensor 'w', axis 0 ('x')", expected="4", got="5", mend="transpose it"))
    "wrong size: tensor 'w', axis 0 ('x'): expected 4, got 5; mend: transpose it"
    """

    def __init__(self, what: str, *, where: str = "", expected: str = "", got: str = "", mend: str = "") -> None:
        self.what, self.where, self.expected, self.got, self.mend = what, where, expected, got, mend
        contrast = ", ".join(f"{word} {said}" for word, said in (("expected", expected), ("got", got)) if said)
        line = ": ".join(piece for piece in (what, where, contrast) if piece)
        super().__init__(" ".join((f"{line}; mend: {mend}" if mend else line).split()))


class PatternError(InputError):
    """A pattern string does not parse, or does not fit the tensor it is held against."""


class LayoutError(InputError):
    """A layout contradicts itself, or the module it is said to describe."""


class CheckpointError(InputError):
    """A checkpoint file cannot be read as what it claims to be."""


class ExpressionError(InputError):
    """The text of a formula is outside the small language that is accepted."""


class TaskError(InputError):
    """A task, or the table it is read from, cannot be trained on."""
