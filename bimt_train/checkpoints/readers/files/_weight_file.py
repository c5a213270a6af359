"""The registry of kinds of file that weights come in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ....registry import Entry, Registry

_HERE = "bimt_train.checkpoints.readers.files"


@dataclass(frozen=True, kw_only=True)
class WeightFile(Entry):
    """A kind of file that weights come in.

    Attributes
    ----------
    name : str
        The kind.
    label : str
        A few words for tables.
    sentence : str
        One sentence: what is read of it.
    knows : callable
        Given the path of a file (of a folder, where ``folder`` is true), says by its content whether it is of this
        kind.
    folder : bool, default False
        Whether the kind is one of folders; no other is asked about them.
    function : callable
        Given the path and a `Told`, gives `Tensors`, or a `Chain` where the file says order and activation.

    Examples
    --------
    >>> WEIGHT_FILES["safetensors"].label
    'safetensors'
    """

    knows: Callable[[Path], bool]
    folder: bool = False

    def recognises(self, path: Path) -> bool:
        """Whether a file or folder is of this kind.

        Parameters
        ----------
        path : Path
            A path that exists.

        Returns
        -------
        bool
            Whether it is. A kind of files knows no folder, and the other way round.
        """
        return path.is_dir() is self.folder and self.knows(path)


WEIGHT_FILES: Registry[WeightFile] = Registry(
    "kind of weight file",
    WeightFile,
    builtin={
        "folder": f"{_HERE}._folder",
        "shards": f"{_HERE}._folder",
        "safetensors": f"{_HERE}._safetensors",
        "torch": f"{_HERE}._torch",
        "npz": f"{_HERE}._numpy",
        "npy": f"{_HERE}._numpy",
        "keras": f"{_HERE}._keras",
        "hdf5": f"{_HERE}._keras",
        "onnx": f"{_HERE}._onnx",
    },
    group="bimt.weight_files",
)
"""Every kind of file that `read_foreign` knows, asked in this order."""
