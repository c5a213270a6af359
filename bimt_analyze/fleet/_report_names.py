"""Names for the reports of many files, no two alike."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

RESERVED = frozenset({"index", "results", "junit"})  # files of the fleet itself
LONGEST = 200  # bytes; file systems allow 255


def distinct_names(paths: Sequence[str]) -> tuple[str, ...]:
    """A name for each path: its stem, with ending and folders in it where others have the same.

    Case does not count, as it does not on every file system. A path that occurs twice is numbered.

    Parameters
    ----------
    paths : sequence of str
        Files or folders.

    Returns
    -------
    tuple of str
        One name for each path.

    Examples
    --------
    >>> distinct_names(["a/net.pt", "b/net.pt", "b/net.npz", "c/other.pt"])
    ('a-net.pt', 'b-net.pt', 'net.npz', 'other')
    """
    whole = [os.path.abspath(path) for path in paths]
    ladders = {path: _ladder(Path(path)) for path in whole}
    steps = dict.fromkeys(ladders, 0)
    while climbing := _climbing(ladders, steps):
        for path in climbing:
            steps[path] += 1
    named, taken = list[str](), {*RESERVED, *(ladders[path][step].casefold() for path, step in steps.items())}
    seen = set[str]()
    for path in whole:
        first = name = ladders[path][steps[path]]
        number = 2
        while (name.casefold() in seen) or (name != first and name.casefold() in taken):
            name, number = f"{first}-{number}", number + 1
        seen.add(name.casefold())
        named.append(name)
    return tuple(named)


def _ladder(path: Path) -> list[str]:
    """Longer and longer names of a path."""
    parts = [part for part in path.parts if part != path.anchor] or ["network"]
    tails = ["-".join(parts[-k:]) for k in range(1, len(parts) + 1)]
    return [_writable(name) for name in (tails if os.path.isdir(path) else [path.stem, *tails])]


def _writable(name: str) -> str:
    """A name that leaves room for an ending, and has no letters that cannot be written as text."""
    return name.encode("utf-8", "replace")[:LONGEST].decode("utf-8", "ignore")


def _climbing(ladders: dict[str, list[str]], steps: dict[str, int]) -> list[str]:
    """The paths that need a longer name, and have one."""
    now = {path: ladders[path][step].casefold() for path, step in steps.items()}
    counts = Counter(now.values())
    alike = [path for path, name in now.items() if counts[name] > 1 or name in RESERVED]
    return [path for path in alike if steps[path] + 1 < len(ladders[path])]
