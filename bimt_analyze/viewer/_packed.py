"""Arrays as text in a page."""

import base64
import zlib
from collections.abc import Mapping

import numpy as np

KINDS = {"f4": "Float32Array", "i4": "Int32Array", "u2": "Uint16Array", "u4": "Uint32Array"}
"""A dtype of numpy -> the array of JavaScript with its bytes."""


def pack(arrays: Mapping[str, np.ndarray]) -> tuple[str, list[dict[str, object]]]:
    """Arrays as one text, and where each lies in it.

    Parameters
    ----------
    arrays : mapping of str to array of one dimension
        Name -> numbers, of a dtype in `KINDS`.

    Returns
    -------
    text : str
        The bytes of all, deflated, in base64.
    where : list of dict
        ``name``, ``kind`` as JavaScript calls it, ``offset`` in bytes, ``length`` in entries.

    Examples
    --------
    >>> text, where = pack({"a": np.array([1, 2, 3], dtype=np.uint16), "b": np.zeros(1, dtype=np.float32)})
    >>> [(one["name"], one["kind"], one["offset"], one["length"]) for one in where]
    [('a', 'Uint16Array', 0, 3), ('b', 'Float32Array', 8, 1)]
    >>> len(zlib.decompress(base64.b64decode(text), -15))
    12
    """
    content, where = bytearray(), []
    for name, array in arrays.items():
        content += bytes(-len(content) % 4)  # views of 4-byte numbers begin at multiples of 4
        kind = KINDS[f"{array.dtype.kind}{array.dtype.itemsize}"]
        where.append({"name": name, "kind": kind, "offset": len(content), "length": len(array)})
        content += array.astype(array.dtype.newbyteorder("<")).tobytes()
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return base64.b64encode(deflate.compress(bytes(content)) + deflate.flush()).decode("ascii"), where
