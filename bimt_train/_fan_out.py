"""The same call many times over: in processes on this machine, or on the workers of a Dask cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from ._errors import InputError

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
    """``function`` of each thing given, many at once; the results in the order given.

    What a call raises comes out here. Function, things and results travel, so all must be values.

    Args:
        function: without side effects, but for files.
        given: one for each call.
        dask: address of a Dask scheduler, as ``tcp://host:8786``, whose workers have this package and see the same
            files; left out, processes on this machine.
        processes: how many of these; one a core if left out.

    Raises:
        InputError: the package for Dask is not there, or the scheduler cannot be reached.
    """
    import joblib

    with _dask(dask) if dask is not None else joblib.parallel_config(n_jobs=processes or PROCESSES):
        return tuple(joblib.Parallel()(joblib.delayed(function)(one) for one in given))


@contextmanager
def _dask(address: str) -> Iterator[None]:
    """While inside, joblib's calls go to the workers of this scheduler."""
    import joblib

    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "--dask needs another package", expected="distributed", mend="pip install 'bimt[dask]'"
        ) from error
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise InputError(
            "no Dask scheduler answers",
            where=address,
            expected="tcp://HOST:PORT of a running scheduler",
            got=str(error).splitlines()[0][:160] if str(error) else type(error).__name__,
            mend="start one with 'dask scheduler', and workers with 'dask worker', or correct the address",
        ) from None
    with client, joblib.parallel_config(backend="dask"):
        yield
