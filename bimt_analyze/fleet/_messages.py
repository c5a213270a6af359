"""Values sent between a process and those that it starts: the length, then the value."""

import pickle
import struct
from typing import IO, Any

_LENGTH = struct.Struct(">Q")
READY = "ready"


def send(stream: IO[bytes], value: Any) -> None:
    """Write a value, whole.

    Parameters
    ----------
    stream : binary file
        Where to.
    value : object
        What can be pickled. Only processes of this package send and receive; no file of a user is read like this.
    """
    packed = pickle.dumps(value)
    stream.write(_LENGTH.pack(len(packed)) + packed)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read the next value.

    Parameters
    ----------
    stream : binary file
        Where from.

    Returns
    -------
    object
        The value; None where the stream ends before it is whole.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    packed = stream.read(length)
    return pickle.loads(packed) if len(packed) == length else None
