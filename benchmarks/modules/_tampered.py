"""Certificates that somebody changed: bytes of the file, or single fields with the digests made right again."""

import base64
import copy
import json
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from bimt_analyze.certificates.checker._exact_fields import canonical, digest

Change = tuple[str, bytes]
_LEAST = 1e-3  # relative change of a number


def tampered(data: bytes, count: int, seed: int = 0) -> Iterator[Change]:
    """Changed files, half of them with the digests made right again, each with a word for the change.

    ``made_by`` is a remark, which no proof depends on, so it is changed with the wrong digest alone.
    """
    rng = np.random.default_rng(seed)
    for k in range(count):
        yield _of_bytes(data, rng) if k % 2 else _resealed(data, rng)


def _of_bytes(data: bytes, rng: np.random.Generator) -> Change:
    """A bit flipped, a byte dropped or doubled, the end cut off, two lines exchanged."""
    place = int(rng.integers(len(data)))
    match int(rng.integers(5)):
        case 0 | 1:
            flipped = data[place] ^ (1 << int(rng.integers(8)))
            return "bit", data[:place] + bytes([flipped]) + data[place + 1 :]
        case 2:
            return "byte dropped", data[:place] + data[place + 1 :]
        case 3:
            return "end cut off", data[:place]
    lines = data.split(b"\n")
    first, second = sorted(rng.choice(len(lines) - 1, 2, replace=False))
    if lines[first] == lines[second]:
        return "byte doubled", data[:place] + data[place : place + 1] + data[place:]
    lines[first], lines[second] = lines[second], lines[first]
    return "lines exchanged", b"\n".join(lines)


def _resealed(data: bytes, rng: np.random.Generator) -> Change:
    """One field changed, and both digests computed anew."""
    said = json.loads(data)
    places = [place for place in _places(said) if place[0] in ("claim", "network", "proof", "format")]
    # each field as often as another, whatever its size
    fields = sorted({tuple(word for word in place if isinstance(word, str)) for place in places})
    field = fields[int(rng.integers(len(fields)))]
    some = [place for place in places if tuple(word for word in place if isinstance(word, str)) == field]
    *way, last = some[int(rng.integers(len(some)))]
    owner = said
    for step in way:
        owner = owner[step]
    how, value = _changed(last, owner[last], rng)
    if how == "left out":
        del owner[last]
    elif how == "unknown field":
        target = owner if isinstance(owner, dict) else said
        target["unknown"] = 1
    else:
        owner[last] = value
    said["network_digest"] = digest(said.get("network"))
    said["digest"] = digest({key: value for key, value in said.items() if key != "digest"})
    return f"{'.'.join(field)}: {how}", canonical(said)


def _places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if way:
        yield way
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield from _places(part, (*way, key))


def _changed(name: Any, value: Any, rng: np.random.Generator) -> tuple[str, Any]:
    """Another value for a field, and what was done."""
    coarse = int(rng.integers(12))
    if coarse == 0:
        return "left out", None
    if coarse == 1:
        return "unknown field", None
    if coarse == 2:
        return "another type", [None, True, 1.5, [value], {"value": value}, 7][int(rng.integers(6))]
    if name == "splits":
        return _tree(value, rng)
    if isinstance(value, str) and value[:1] in "-0" and "0x" in value:
        return _numbers(value, rng)
    if isinstance(value, str):
        return _text(value, rng)
    if isinstance(value, bool) or value is None:
        return "another type", 1
    if isinstance(value, int):
        return "another count", value + int(rng.choice([-1, 1, 2]))
    changed = copy.deepcopy(value)
    if isinstance(changed, list) and changed:
        place = int(rng.integers(len(changed)))
        if rng.random() < 0.5 or len(changed) == 1:
            changed.append(copy.deepcopy(changed[place]))
            return "an entry doubled", changed
        del changed[place]
        return "an entry dropped", changed
    return "another type", "text"


def _numbers(text: str, rng: np.random.Generator) -> tuple[str, str]:
    words = text.split()
    place = int(rng.integers(len(words)))
    number = float.fromhex(words[place])
    match int(rng.integers(6)):
        case 0:
            words[place] = ["nan", "inf", "-inf", "0x1.zp+0"][int(rng.integers(4))]
            return "no number", " ".join(words)
        case 1:
            del words[place]
            return "a number dropped", " ".join(words)
        case 2:
            return "a number doubled", " ".join([*words, words[place]])
    size = max(abs(number), 0.01) * _LEAST * 10 ** rng.uniform(0, 3)
    words[place] = float(number + rng.choice([-1, 1]) * size).hex()
    return "a number", " ".join(words)


def _text(text: str, rng: np.random.Generator) -> tuple[str, str]:
    pairs = [("+", "-"), ("*", "+"), ("2", "3"), ("3", "2"), ("1", "2"), ("sin", "cos"), ("silu", "relu"), ("x", "z")]
    pairs += [("identity", "tanh"), ("&", "|"), ("0", "1"), ("sqrt", "exp"), ("relu", "silu")]
    fitting = [(old, new) for old, new in pairs if old in text] or [("", "x")]
    old, new = fitting[int(rng.integers(len(fitting)))]
    return "a text", text.replace(old, new, 1)


def _tree(text: str, rng: np.random.Generator) -> tuple[str, str]:
    codes = bytearray(zlib.decompress(base64.b64decode(text)))
    place = int(rng.integers(len(codes)))
    match int(rng.integers(4)):
        case 0:
            del codes[place]
            how = "a leaf or a split dropped"
        case 1:
            codes[place] = 255 if codes[place] != 255 else 0
            how = "a leaf for a split, or a split for a leaf"
        case 2:
            codes[place] = int(rng.choice([code for code in range(10) if code != codes[place]]))
            how = "another axis"
        case _:
            codes.append(255)
            how = "a leaf added"
    return how, base64.b64encode(zlib.compress(bytes(codes), 9)).decode()
