"""What a run keeps of a seed's training, as a file beside its checkpoint."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from .._errors import CheckpointError, InputError
from ..checkpoints import Network, load_checkpoint
from ..layouts import Placement
from ..showing import Shown
from ..whole_files import content_digest, write_whole

_KEY, _SLOTS, _WEIGHTS = "bimt-film", "slots.", "tensors."
_AGAIN = "train with --film, or with Snapshots(files=True)"


@dataclass(frozen=True, eq=False, repr=False)
class Snapshot(Shown):
    """A network after a number of steps.

    Attributes
    ----------
    step : int
        Steps done.
    network : Network
        The network as it was then.

    Examples
    --------
    >>> from bimt_train.models import MLP
    >>> snapshot = Snapshot(step=100, network=Network.of(MLP((2, 1))))
    >>> snapshot.network.edges()
    2
    """

    step: int
    network: Network

    def _brief(self) -> str:
        return f"step {self.step}, {self.network}"


def film_file(checkpoint: str | Path) -> Path:
    """Where the film of a checkpoint's training is: ``seed-000.film`` beside ``seed-000.safetensors``.

    Parameters
    ----------
    checkpoint : str or Path
        The checkpoint's file.
    """
    return Path(checkpoint).with_suffix(".film")


def save_film(path: Path, snapshots: Sequence[Snapshot]) -> None:
    """Write the snapshots of one seed: each tensor with an axis of frames before its own.

    Parameters
    ----------
    path : Path
        The file.
    snapshots : sequence of Snapshot
        First to last, one at least.
    """
    networks = [one.network for one in snapshots]
    arrays = {f"{_WEIGHTS}{name}": np.stack([one.tensors[name] for one in networks]) for name in networks[0].tensors}
    slots = networks[0].placement.slots
    arrays |= {f"{_SLOTS}{name}": np.array([one.placement.slots[name] for one in networks]) for name in slots}
    arrays["steps"] = np.array([one.step for one in snapshots])
    write_whole(path, to_safetensors(arrays, {_KEY: json.dumps({"version": 1, "digest": content_digest(arrays)})}))


def read_film(path: Path, like: Network) -> tuple[Snapshot, ...]:
    """The snapshots in a file.

    Parameters
    ----------
    path : Path
        A file that `save_film` wrote.
    like : Network
        A network of the same layout.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or of another network.
    """
    try:
        with safe_open(path, framework="np") as file:
            about = (file.metadata() or {}).get(_KEY, "{}")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError("no film was kept of this training", where=str(path), hint=_AGAIN) from None
    except (OSError, SafetensorError) as error:
        raise CheckpointError("a film that cannot be read", where=str(path), got=str(error), hint=_AGAIN) from error
    if about != json.dumps({"version": 1, "digest": content_digest(arrays)}):
        raise CheckpointError("a film that is damaged or of another version", where=str(path), hint=_AGAIN)
    try:
        return tuple(
            Snapshot(
                int(step),
                Network(
                    like.model,
                    like.layout,
                    Placement({name: tuple(arrays[_SLOTS + name][k].tolist()) for name in like.placement.slots}),
                    {name: arrays[_WEIGHTS + name][k] for name in like.tensors},
                ),
            )
            for k, step in enumerate(arrays["steps"])
        )
    except (KeyError, InputError) as error:
        raise _of_another(path, str(error)) from error


def load_snapshots(checkpoint: str | Path) -> tuple[Snapshot, ...]:
    """The networks of a seed's training, where its run kept them (`Snapshots` with ``files``, or ``--film``).

    Parameters
    ----------
    checkpoint : str or Path
        The seed's checkpoint, such as ``runs/independence/seed-000.safetensors``.

    Returns
    -------
    tuple of Snapshot
        First to last; the last is the checkpoint's network.

    Raises
    ------
    CheckpointError
        Nothing was kept, or of another run than the checkpoint's.

    Examples
    --------
    >>> load_snapshots("nowhere/seed-000.safetensors")
    Traceback (most recent call last):
        ...
    bimt_train._errors.CheckpointError: no film was kept of this training: nowhere/seed-000.film; ...
    """
    path = film_file(checkpoint)
    if not path.is_file():
        raise CheckpointError("no film was kept of this training", where=str(path), hint=_AGAIN)
    network = load_checkpoint(checkpoint).network
    found = read_film(path, network)
    last = found[-1].network
    if last.placement != network.placement or any(
        not np.array_equal(last.tensors[name], network.tensors[name]) for name in network.tensors
    ):
        raise _of_another(
            path, f"a last frame, of step {found[-1].step}, with other weights than {Path(checkpoint).name}"
        )
    return found


def _of_another(path: Path, got: str) -> CheckpointError:
    return CheckpointError("a film of another training", where=str(path), got=got, hint=_AGAIN)
