"""From the words of a call to jobs: files, folders of files, folders of runs, manifests."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bimt_train import CheckpointError, InputError
from bimt_train.training.checkpoints_in import checkpoints_in

from .._jobs import Job
from .._sources import SHARDS, WEIGHTS
from ..options._analysis_options import AnalysisOptions
from ..options._sampling import Sampling
from ._manifest import read_manifest

RUNS = "runs.json"  # marks a folder of runs
MARK = "bimt"  # in the metadata of the checkpoints of this project
SAVED = ("model.safetensors", "pytorch_model.bin")  # beside a config.json: one network, as libraries save it
OWN = "model.safetensors"  # alone in a folder: one network, as `save_pretrained` writes it
ENDS = frozenset((*WEIGHTS, ".safetensors"))


def holds_many(source: str | Path) -> bool:
    """Whether a source stands for several networks: a manifest, or a folder of files.

    Parameters
    ----------
    source : str or Path
        A file or a folder.

    Returns
    -------
    bool
        False for one file, a folder of runs, which stands for its best seed, and a folder with one network.

    Examples
    --------
    >>> holds_many("nets.csv"), holds_many("net.pt")
    (True, False)
    """
    path = Path(source)
    if not os.path.isdir(path):  # unlike Path's, this is False too for a name that no file can have
        return path.suffix.lower() == ".csv"
    return not _is_one(path)


def _is_one(folder: Path) -> bool:
    if (folder / RUNS).is_file() or any(folder.glob(SHARDS)):
        return True
    saved = any((folder / name).is_file() for name in SAVED)
    return saved and ((folder / "config.json").is_file() or _is_pretrained(folder))


def _is_pretrained(folder: Path) -> bool:
    """Whether a folder holds one checkpoint and no other network."""
    return [file.name for file in folder.iterdir() if _is_network(file)] == [OWN] and _is_ours(folder / OWN)


def jobs_of(
    sources: Sequence[str | Path],
    *,
    sampling: Sampling | None = None,
    options: AnalysisOptions | None = None,
    requirements: Sequence[str] = (),
    formats: Sequence[str] = ("html", "json"),
    every: bool = False,
) -> tuple[Job, ...]:
    """One job for each network that the sources stand for, in their order.

    A checkpoint of this project says all of itself. Among files that do not, it is read as it is: of ``sampling`` it
    takes only the decomposition and the kind of model, unless its own row of a manifest says more.

    Parameters
    ----------
    sources : sequence of str or Path
        Files of weights or checkpoints; folders of runs, whose best seed is taken; folders of such files and folders;
        manifests (`read_manifest`).
    sampling : Sampling or None
        What the files do not say of themselves.
    options : AnalysisOptions or None
        All options of the analyses; the defaults if left out.
    requirements : sequence of str
        Conditions on each report.
    formats : sequence of str
        The forms in which each report is wanted: html, json, markdown.
    every : bool
        Of a folder of runs take all seeds.

    Returns
    -------
    tuple of Job
        A file that is missing or damaged has its job too.

    Raises
    ------
    InputError
        None of the sources is there, a folder has no networks, or a manifest cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.pt", "a.npz", "notes.md"):
    ...     _ = (folder / name).write_bytes(b"")
    >>> [Path(job.path).name for job in jobs_of([folder])]
    ['a.npz', 'b.pt']
    """
    if not any(os.path.exists(source) for source in sources):
        said = ", ".join(map(str, sources))
        raise CheckpointError("no such file or folder", where=said, hint="correct the path")
    chosen, default = options or AnalysisOptions(), sampling or Sampling()
    found = [pair for source in sources for pair in _networks(Path(source), default, every)]
    if default.foreign and not every:
        ours = replace(Sampling(), parts=default.parts, model=default.model)
        found = [(path, ours if said == default and _is_ours(path) else said) for path, said in found]
    return tuple(Job(str(path), said, tuple(requirements), tuple(formats), chosen) for path, said in found)


def _networks(source: Path, said: Sampling, every: bool) -> Iterator[tuple[Path, Sampling]]:
    if os.path.isdir(source):
        if every and (source / RUNS).is_file():
            yield from ((path, said) for path in checkpoints_in(source))
        elif _is_one(source):
            yield source, said
        else:
            yield from (pair for path in _in_folder(source) for pair in _networks(path, said, every))
    elif holds_many(source) and os.path.isfile(source):
        for file, of_row in read_manifest(source, said):
            many = os.path.isdir(file) and (every or holds_many(file))
            yield from _networks(file, of_row, every) if many else ((file, of_row),)
    else:
        yield source, said


def _in_folder(folder: Path) -> tuple[Path, ...]:
    """The networks of a folder, by name; folders of runs and of shards in it count as one each."""
    found = tuple(path for path in sorted(folder.iterdir()) if (_is_one if path.is_dir() else _is_network)(path))
    if not found:
        expected = "files of weights, checkpoints, or folders of runs"
        raise InputError("a folder without networks", where=str(folder), expected=expected, hint="name a file")
    return found


def _is_ours(path: Path) -> bool:
    """Whether `bimt_train` wrote a file, or the folder."""
    from safetensors import SafetensorError, safe_open

    if os.path.isdir(path):
        return os.path.isfile(path / RUNS) or _is_pretrained(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return MARK in (file.metadata() or {})
    except (OSError, ValueError, SafetensorError):  # whatever is wrong with it, the analysis says
        return False


def _is_network(path: Path) -> bool:
    """By its ending or, if that says nothing, by its content; a damaged file is one by its ending."""
    from bimt_train.checkpoints import WEIGHT_FILES

    if not path.is_file() or path.name.startswith("."):
        return False
    if path.suffix.lower() in ENDS:
        return True
    try:
        return any(kind.recognises(path) for kind in WEIGHT_FILES.entries())
    except OSError:  # it cannot be opened
        return False
