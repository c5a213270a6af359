"""C on this machine: the compiler, and what it made of a source."""

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from jaxtyping import Float32

from bimt_train import InputError

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-O3", "-march=native", "-ffp-contract=fast")

Rows = Float32[np.ndarray, "rows inputs"]
Given = Float32[np.ndarray, "rows outputs"]


def compiler() -> str | None:
    """The C compiler of this machine; None where there is none.

    Returns
    -------
    str or None
        Its path.
    """
    return next((path for name in COMPILERS if (path := shutil.which(name))), None)


def compiled(source: str, name: str, outputs: int, *, flags: tuple[str, ...] = ()) -> Callable[[Rows], Given] | None:
    """What a source computes, compiled and loaded into this process.

    Parameters
    ----------
    source : str
        What `c_source` gives.
    name : str
        The function's name.
    outputs : int
        Numbers that it gives for each row.
    flags : tuple of str
        Further flags of the compiler.

    Returns
    -------
    callable or None
        From rows to outputs; None where no compiler is there.

    Raises
    ------
    InputError
        The compiler refuses the source.
    """
    found = compiler()
    if found is None:
        return None
    with TemporaryDirectory() as folder:  # what is loaded stays, when its file is gone
        code, library = Path(folder) / "circuit.c", Path(folder) / "circuit.so"
        code.write_text(source, encoding="utf-8")
        call = [found, *FLAGS, *flags, "-fPIC", "-shared", "-o", str(library), str(code), "-lm"]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError("C that the compiler refuses", where=found, got=done.stderr.strip()[:200])
        function = ctypes.CDLL(str(library))[name]
    function.argtypes, function.restype = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t), None

    def run(x: Rows) -> Given:
        given = np.empty((len(x), outputs), dtype=np.float32)
        function(x.ctypes.data, given.ctypes.data, len(x))
        return given

    return run
