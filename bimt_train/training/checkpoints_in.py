"""The checkpoint files of a folder of runs."""

import json
from pathlib import Path

from .._errors import CheckpointError
from ._runs import RUNS_FILE


def checkpoints_in(folder: str | Path) -> tuple[Path, ...]:
    """The checkpoint files of a folder that `train` wrote, best seed first.

    Parameters
    ----------
    folder : str or Path
        A folder with a runs.json.

    Returns
    -------
    tuple of Path
        One file for each seed, least test loss first.

    Raises
    ------
    CheckpointError
        There is no runs.json, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> folder = tempfile.mkdtemp()
    >>> runs = train(two_moons(rows=(20, 20)), seeds=1, recipe=Recipe(steps=2), out=folder)
    >>> [file.name for file in checkpoints_in(folder)]
    ['seed-000.safetensors']
    """
    path = Path(folder) / RUNS_FILE
    if not path.is_file():
        hint = "give a folder that bimt-train wrote, or one checkpoint"
        raise CheckpointError("not a folder of runs", where=str(folder), expected=RUNS_FILE, hint=hint)
    try:
        records = json.loads(path.read_text(encoding="utf-8"))["records"]
        files = tuple(path.parent / record["file"] for record in records)
    except (ValueError, KeyError, TypeError) as error:
        got = f"{type(error).__name__}: {error}"
        hint = "train again, or give one checkpoint"
        raise CheckpointError("a table of runs that cannot be read", where=str(path), got=got, hint=hint) from None
    if not files:
        raise CheckpointError("a table of runs without runs", where=str(path), hint="train again")
    return files
