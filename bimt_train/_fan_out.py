"""One function called on many values: in processes on this machine, or on the workers of a Dask cluster."""

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from ._errors import InputError
from ._registry import loaded_files

Given = TypeVar("Given")
Found = TypeVar("Found")

PROCESSES = -1  # at once on this machine; -1 is one a core
PATIENCE = "10s"  # for a scheduler to answer


def fan_out(
    function: Callable[[Given], Found],
    given: Sequence[Given],
    *,
    dask: str | None = None,
    processes: int | None = None,
) -> tuple[Found, ...]:
    """Call ``function`` on each value in ``given``, many at once, and return the results in the order of ``given``.

    An error that one call raises is raised here. The function, its arguments and its results are sent between
    processes, so all of them must be values that can be pickled.

    Parameters
    ----------
    function : callable
        Takes one element of ``given``. It must have no side effects, but for files that it writes.
    given : sequence
        The arguments, one for each call.
    dask : str, optional
        The address of a Dask scheduler, as ``tcp://host:8786``. Its workers must have this package and see the same
        files. Left out, the calls run in processes on this machine.
    processes : int, optional
        The number of processes on this machine; one for each core if left out. Not used with ``dask``.

    Returns
    -------
    tuple
        One result for each element of ``given``.

    Raises
    ------
    InputError
        The package for Dask is not installed, or the scheduler cannot be reached.

    Examples
    --------
    >>> fan_out(abs, [-3, 2, -1], processes=1)
    (3, 2, 1)
    """
    import joblib

    _send_files_by_value()
    with _dask(dask) if dask is not None else joblib.parallel_config(n_jobs=processes or PROCESSES):
        return tuple(joblib.Parallel()(joblib.delayed(function)(one) for one in given))


def _send_files_by_value() -> None:
    """Let what a user's file defines be sent as a whole: no other process could import it by its name."""
    for pickler in ("joblib.externals.cloudpickle", "cloudpickle") if loaded_files() else ():
        if importlib.util.find_spec(pickler) is not None:  # the second comes with Dask
            for module in loaded_files():
                importlib.import_module(pickler).register_pickle_by_value(module)


@contextmanager
def _dask(address: str) -> Iterator[None]:
    """While inside, joblib's calls go to the workers of this scheduler."""
    import joblib

    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "--dask needs another package", expected="distributed", hint="pip install 'bimt[dask]'"
        ) from error
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(
            "no Dask scheduler answers",
            where=address,
            expected="tcp://HOST:PORT of a running scheduler",
            got=str(error).splitlines()[0][:160] if str(error) else type(error).__name__,
            hint="start one with 'dask scheduler', and workers with 'dask worker', or correct the address",
        ) from None
    with client, joblib.parallel_config(backend="dask"):
        yield
