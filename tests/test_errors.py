"""Messages: one line, whatever a file holds that they quote."""

from bimt_train import InputError


def test_a_long_piece_loses_its_middle():
    error = InputError("no such column", where="a.csv", got="begin" + "x" * 100_000 + "end", hint="correct it")
    said = str(error)
    assert (
        len(said) < 500 and said.startswith("no such column: a.csv: got beginxxx") and "xend; hint: correct it" in said
    )
    assert len(error.got) == 100_008  # programs get all of it


def test_what_a_terminal_would_obey_is_escaped():
    said = str(InputError("no such column", got="a\x1b[31mb\u202ec\0d\ne"))
    assert said == r"no such column: got a\x1b[31mb\u202ec\x00d e"
    assert str(InputError("größer als", got="π ≤ 日本")) == "größer als: got π ≤ 日本"
