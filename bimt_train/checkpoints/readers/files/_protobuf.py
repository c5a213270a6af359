"""The wire format of protocol buffers, as far as ONNX needs it: fields by number, without schema or copies."""

import struct
from collections.abc import Iterator
from typing import TypeAlias

Field: TypeAlias = int | memoryview


class WireError(ValueError):
    """Bytes that are no message."""


def fields_of(message: memoryview) -> dict[int, list[Field]]:
    """The fields of a message by number.

    Parameters
    ----------
    message : memoryview
        Its bytes.

    Returns
    -------
    dict of int to list
        Whole numbers, and bytes of texts, messages and packed numbers (and of fixed ones, 4 or 8 bytes).

    Raises
    ------
    WireError
        The bytes are no message.

    Examples
    --------
    >>> fields = fields_of(memoryview(bytes([8, 150, 1, 18, 2, 104, 105])))
    >>> fields[1], bytes(fields[2][0])
    ([150], b'hi')
    """
    found: dict[int, list[Field]] = {}
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        value: Field
        if kind == 0:
            value, at = _varint(message, at)
        elif kind in (1, 2, 5):
            size, at = _varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            if at + size > len(message):
                raise WireError("a field that is cut off")
            value, at = message[at : at + size], at + size
        else:
            raise WireError(f"a field of type {kind}")
        if number == 0:
            raise WireError("a field without a number")
        found.setdefault(number, []).append(value)
    return found


def numbers_of(values: list[Field]) -> list[int]:
    """Whole numbers of a repeated field, packed or not.

    Parameters
    ----------
    values : list
        The field.

    Returns
    -------
    list of int
        Signed numbers of 64 bits.
    """
    return [number - 2**64 if number >= 2**63 else number for value in values for number in _unpacked(value)]


def floats_of(values: list[Field]) -> list[float]:
    """Numbers of single precision of a repeated field, packed or not.

    Parameters
    ----------
    values : list
        The field.

    Returns
    -------
    list of float
        The numbers.
    """
    return [number for value in values if not isinstance(value, int) for (number,) in struct.iter_unpack("<f", value)]


def text_of(values: list[Field]) -> str:
    """The text of a field; empty where there is none.

    Parameters
    ----------
    values : list
        The field.

    Returns
    -------
    str
        The text.
    """
    return bytes(values[-1]).decode("utf-8", "replace") if values and not isinstance(values[-1], int) else ""


def _unpacked(value: Field) -> Iterator[int]:
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise WireError("a number that is cut off")
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number & (2**64 - 1), at
    raise WireError("a number that does not end")
