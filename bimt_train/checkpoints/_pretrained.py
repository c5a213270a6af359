"""A checkpoint as a folder that model hubs understand: one file of safetensors and a card. Nothing is downloaded."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._errors import CheckpointError
from ..whole_files import write_whole
from ._checkpoint import Checkpoint
from ._checkpoint_file import load_checkpoint, save_checkpoint
from ._model_card import CardOptions, model_card

MODEL_FILE, CARD_FILE = "model.safetensors", "README.md"
OTHERS = {"runs.json": "a folder of runs", "config.json": "a folder of another library's model"}


def save_pretrained(
    folder: str | Path,
    checkpoint: Checkpoint,
    *,
    license: str = "",
    tags: Sequence[str] = (),
    report: Mapping[str, Any] | None = None,
) -> Path:
    """Write a checkpoint and its model card into a folder, which a model hub takes as it is.

    The folder holds ``model.safetensors``, the checkpoint's file (docs/checkpoint.md), which `load_checkpoint` and
    ``bimt-analyze`` read too, and ``README.md``, the card: task, loss, sparsity, training, how to load it, what it does
    not show. Nothing is sent anywhere.

    Parameters
    ----------
    folder : str or Path
        Where; it is made if need be. The two files are replaced if they are there, and others stay.
    checkpoint : Checkpoint
        What to write.
    license : str, default ""
        Under which licence the weights are given, as a hub calls it: ``"mit"``. Left out, the card names none.
    tags : sequence of str, default ()
        Words by which a hub finds it, besides those that every card has.
    report : mapping of str to object, optional
        What an analysis found, ``report.to_json()`` or the content of a report.json; the card then has its headline,
        formulas among it.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    CheckpointError
        The folder is one of runs, or of another library's model; the checkpoint cannot be written.
    InputError
        The report is of another network, or a tag is no word.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from bimt_train.checkpoints import from_state_dict
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="silu", ranges=(-1, 1))
    >>> folder = save_pretrained(f"{tempfile.mkdtemp()}/identity", checkpoint, license="mit")
    >>> sorted(file.name for file in folder.iterdir())
    ['README.md', 'model.safetensors']
    >>> print((folder / "README.md").read_text()[:76])
    ---
    library_name: bimt
    pipeline_tag: tabular-regression
    license: "mit"
    tags:
    """
    folder = Path(folder)
    for name, what in OTHERS.items():
        if (folder / name).exists():
            hint = "choose a folder of its own"
            raise CheckpointError("the folder is taken", where=str(folder), got=f"{what}, with {name}", hint=hint)
    card = model_card(checkpoint, MODEL_FILE, CardOptions(license=license, tags=tags, report=report))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError("the folder cannot be made", where=str(folder), got=str(error.strerror)) from error
    save_checkpoint(folder / MODEL_FILE, checkpoint)
    write_whole(folder / CARD_FILE, card)
    return folder


def from_pretrained(folder: str | Path) -> Checkpoint:
    """Read and check the checkpoint in a folder that `save_pretrained` wrote. Nothing is downloaded, no code is run.

    Parameters
    ----------
    folder : str or Path
        A folder on this machine.

    Returns
    -------
    Checkpoint
        The network, the task, the probe and the config.

    Raises
    ------
    CheckpointError
        There is no such folder, it holds no ``model.safetensors``, or `load_checkpoint` refuses that file.

    Examples
    --------
    >>> from_pretrained("someone/some-model")
    Traceback (most recent call last):
        ...
    bimt_train._errors.CheckpointError: no such folder: someone/some-model; hint: download it first: only a folder on \
this machine is read
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "not a folder" if folder.exists() else "no such folder"
        hint = (
            "load_checkpoint reads one file"
            if folder.exists()
            else "download it first: only a folder on this machine is read"
        )
        raise CheckpointError(what, where=str(folder), hint=hint)
    if not (folder / MODEL_FILE).is_file():
        got = ", ".join(sorted(file.name for file in folder.iterdir())[:8]) or "nothing"
        hint = "write it with save_pretrained; read_foreign reads folders of other libraries"
        raise CheckpointError(
            "a folder without a checkpoint", where=str(folder), expected=MODEL_FILE, got=got, hint=hint
        )
    return load_checkpoint(folder / MODEL_FILE)
