"""Checkpoints and states with something changed: in bits, in the header, in the JSON, in the numbers.

A change of the JSON or of the numbers is signed again with a digest that fits, as somebody who means harm would do, so
that the checks behind the digest are tried too.
"""

import copy
import json
import math
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from bimt_train.whole_files import content_digest

Path = tuple[str | int, ...]
DEEP: Any = json.loads("[" * 50 + "]" * 50)
VALUES = (
    None, True, False, 0, -1, 1, 2, 3, 7, 0.5, -0.0, 1e308, 1e-320, 10**9, 2**31, 2**63, 2**64, -(2**63), 10**30, "",
    "x", "_", " ", "h1 x", "x -> x", "x -> h1 -> h2", "(3 x) x", "(1000000000 x) x", "(0 x)", "(-1 x) x", "((((x",
    "x" * 5000, "(3 " * 500 + "x" + ")" * 500, "\u202e", "<script>alert(1)</script>", "__class__", "lambda", "\x00",
    "NaN", [], {}, [[]], [0], [-1], [1e308], [0, 0], [0, 1, 2, 3], [10**9], list(range(10000)), {"a": 1}, {"": {}},
    DEEP, math.nan, math.inf, "silu", "relu", "tanh", "mlp", "gated-mlp", "gpt", "llama", "rnn", "row-transformer",
    "embedding-mlp", "image-mlp", "program-transformer", "traced", "os.system", "weight", "bias", "norm", "buffer",
    "embedding", "mse", "cross-entropy", "next-token", "multi-label", "x1 x2", "y1 = x1", "aten.exp.default",
)  # fmt: skip
DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I8", "U8", "BOOL", "F8_E4M3", "X", "C64", 1, None)
SHAPES = ([], [0], [2**62], [2**63, 2], [10**9, 10**9], [-1], [1] * 50, "x", None, [1.5])
OFFSETS = ([0, 0], [2**63, 2**64], [-1, 4], [0, 2**40], [4], [], None)
NUMBERS = (math.nan, math.inf, -math.inf, 1e308, 1e300, 5e-324, 0.0, -1.0)


@dataclass(frozen=True)
class Signed:
    """A safetensors file of ours, taken apart. ``spaced`` says how its digest writes the JSON."""

    raw: bytes
    key: str
    spaced: bool

    @property
    def length(self) -> int:
        """Bytes of the header."""
        return int(struct.unpack("<Q", self.raw[:8])[0])

    @property
    def header(self) -> dict[str, Any]:
        """The tensors' entries, and the metadata."""
        return dict(json.loads(self.raw[8 : 8 + self.length]))

    @property
    def body(self) -> bytes:
        """The tensors' bytes."""
        return self.raw[8 + self.length :]

    @property
    def said(self) -> dict[str, Any]:
        """The JSON in the metadata."""
        return dict(json.loads(self.header["__metadata__"][self.key]))

    def rebuilt(self, *, header: dict[str, Any] | None = None, said: Any = None, body: bytes | None = None) -> bytes:
        """The file with parts changed, and a digest that fits where one can be taken."""
        header, body = header or self.header, self.body if body is None else body
        said = self.said if said is None else said
        data = self.with_text(json.dumps(said), header, body)
        try:
            return self.with_text(json.dumps({**said, "digest": self._digest(load(data), said)}), header, body)
        except (SafetensorError, ValueError, KeyError, TypeError, OverflowError):
            return data  # as no reader could take a digest either

    def with_text(self, text: str, header: dict[str, Any] | None = None, body: bytes | None = None) -> bytes:
        """The file with another text in the metadata."""
        told = json.dumps({**(header or self.header), "__metadata__": {self.key: text}}).encode("utf8", "surrogatepass")
        told += b" " * (-len(told) % 8)
        return struct.pack("<Q", len(told)) + told + (self.body if body is None else body)

    def _digest(self, arrays: dict[str, np.ndarray], said: dict[str, Any]) -> str:
        rest = {k: v for k, v in said.items() if k != "digest"}
        return content_digest(arrays, json.dumps(rest, sort_keys=True, separators=None if self.spaced else (",", ":")))


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where something stands in a JSON value; of long lists the first places."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*path, key))
    elif isinstance(value, list):
        for place in range(min(len(value), 3)):
            yield from paths(value[place], (*path, place))


def changed(value: Any, path: Path, new: Any = None, *, gone: bool = False) -> Any:
    """A copy with one place changed, or without it."""
    value = copy.deepcopy(value)
    inner = value
    for step in path[:-1]:
        inner = inner[step]
    if gone:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return value


def mutant(file: Signed, draw: random.Random) -> tuple[str, bytes]:
    """One changed file, and what was done to it."""
    kind = draw.choices(list(MUTATIONS), [weight for _, weight in MUTATIONS.values()])[0]
    return kind, MUTATIONS[kind][0](file, draw)


def _flip(file: Signed, draw: random.Random) -> bytes:
    raw = bytearray(file.raw)
    raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
    return bytes(raw)


def _flip_in_header(file: Signed, draw: random.Random) -> bytes:
    raw = bytearray(file.raw)
    raw[draw.randrange(8 + file.length)] ^= 1 << draw.randrange(8)
    return bytes(raw)


def _cut(file: Signed, draw: random.Random) -> bytes:
    return file.raw[: draw.randrange(len(file.raw))]


def _longer(file: Signed, draw: random.Random) -> bytes:
    return file.raw + draw.randbytes(draw.randrange(1, 100))


def _header_length(file: Signed, draw: random.Random) -> bytes:
    near = [file.length + by for by in (-8, -1, 1, 8)]
    lengths = [0, 1, 2, 7, *near, len(file.raw), 2**31, 2**32, 2**63, 2**64 - 1, 10**8, draw.randrange(2**64)]
    return struct.pack("<Q", draw.choice(lengths)) + file.raw[8:]


def _set(file: Signed, draw: random.Random) -> bytes:
    said = file.said
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        try:
            said = changed(said, draw.choice([path for path in paths(said) if path]), draw.choice(VALUES))
        except (TypeError, KeyError, IndexError):
            continue
    return file.rebuilt(said=said)


def _gone(file: Signed, draw: random.Random) -> bytes:
    return file.rebuilt(said=changed(file.said, draw.choice([path for path in paths(file.said) if path]), gone=True))


def _more(file: Signed, draw: random.Random) -> bytes:
    said = file.said
    inside = [path for path in paths(said) if isinstance(_at(said, path), dict)]
    return file.rebuilt(said=changed(said, (*draw.choice(inside), "more"), draw.choice(VALUES)))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _nudged(file: Signed, draw: random.Random) -> bytes:
    """A whole number or a list a little off: what a check of types lets pass."""
    said = file.said
    found = [path for path in paths(said) if path and isinstance(_at(said, path), int | float | list)]
    path = draw.choice(found)
    value = _at(said, path)
    if isinstance(value, list):
        new = draw.choice([value[1:], value * 2, value[::-1], [*value, *value[:1]]])
    else:
        new = draw.choice([value + 1, value - 1, value * 2, -value, value * 1000])
    return file.rebuilt(said=changed(said, path, new))


def _text(file: Signed, draw: random.Random) -> bytes:
    text = json.dumps(file.said)
    return file.with_text(
        draw.choice([
            text[:-1] + ',"version":1}', '{"config":' + "[" * 100000 + "]" * 100000 + "}", "", "\0", "[]", "null",
            text + "x", "\ufeff" + text, text.replace("1", "1" * 5000, 1), text.replace("0.", "NaN,0.", 1),
            text.replace(":", ": \ud800", 1), text[: draw.randrange(len(text))],
        ])
    )  # fmt: skip


def _entry(file: Signed, draw: random.Random) -> bytes:
    header = file.header
    names = [name for name in header if name != "__metadata__"]
    name, other = draw.choice(names), draw.choice(names)
    what = draw.randrange(7)
    if what == 0:
        header[name]["dtype"] = draw.choice(DTYPES)
    elif what == 1:
        header[name]["shape"] = draw.choice([*SHAPES, header[name]["shape"][::-1], [math.prod(header[name]["shape"])]])
    elif what == 2:
        header[name]["data_offsets"] = draw.choice([*OFFSETS, header[name]["data_offsets"][::-1]])
    elif what == 3:
        del header[name]
    elif what == 4:
        header[draw.choice(["more", "../../x", "probe.more", "__class__", ""])] = dict(header[name])
    elif what == 5:
        header[name], header[other] = header[other], header[name]
    else:
        header[f"{name}x"] = header.pop(name)
    return file.rebuilt(header=header)


def _number(file: Signed, draw: random.Random) -> bytes:
    body = bytearray(file.body)
    header = file.header
    name = draw.choice([name for name in header if name != "__metadata__" and header[name]["dtype"] in ("F32", "F64")])
    kind = np.dtype({"F32": "<f4", "F64": "<f8"}[header[name]["dtype"]])
    start, end = header[name]["data_offsets"]
    if end > start:
        place = start + kind.itemsize * draw.randrange((end - start) // kind.itemsize)
        with np.errstate(over="ignore"):
            body[place : place + kind.itemsize] = np.array([draw.choice(NUMBERS)]).astype(kind).tobytes()
    return file.rebuilt(body=bytes(body))


MUTATIONS: dict[str, tuple[Callable[[Signed, random.Random], bytes], int]] = {
    "a bit": (_flip, 2), "a bit of the header": (_flip_in_header, 2), "cut": (_cut, 1), "longer": (_longer, 1),
    "length of the header": (_header_length, 1), "JSON: set": (_set, 6), "JSON: gone": (_gone, 2),
    "JSON: more": (_more, 1), "JSON: nudged": (_nudged, 4), "JSON: text": (_text, 1),
    "entry of a tensor": (_entry, 2), "a number": (_number, 2),
}  # fmt: skip
"""Each mutation, and how often it is drawn."""
