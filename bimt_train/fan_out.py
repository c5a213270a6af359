"""One function called on many values: in processes on this machine, or on the workers of a Dask cluster."""

import contextlib
import importlib
import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from ._errors import InputError
from .extras import need
from .registry import loaded_files

Given = TypeVar("Given")
Found = TypeVar("Found")

PROCESSES = -1  # at once on this machine; -1 is one a core
PATIENCE = "10s"  # for a scheduler to answer
ALONE = 20.0  # seconds for which work may wait for a first worker, or for another after the last one is gone
_LOOK = 1.0  # seconds between two looks at the workers


def fan_out(
    function: Callable[[Given], Found],
    given: Sequence[Given],
    *,
    dask: str | None = None,
    processes: int | None = None,
    on_result: Callable[[int, Found], None] | None = None,
) -> tuple[Found, ...]:
    """Call ``function`` on each value in ``given``, many at once, and return the results in the order of ``given``.

    An error that one call raises is raised here. The function, its arguments and its results are sent between
    processes, so all of them must be values that can be pickled. A call whose Dask worker dies is made again on
    another.

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
    on_result : callable, optional
        Called with the place in ``given`` and the result as each call ends, in the order in which they end.

    Returns
    -------
    tuple
        One result for each element of ``given``.

    Raises
    ------
    InputError
        The package for Dask is not installed, the scheduler cannot be reached, there are no workers for 20 seconds, the
        scheduler is lost, or one call ends several workers.

    Examples
    --------
    >>> fan_out(abs, [-3, 2, -1], processes=1)
    (3, 2, 1)
    """
    _send_files_by_value()
    numbered, found = partial(_numbered, function), dict[int, Found]()
    work = list(enumerate(given))
    for place, result in _in_processes(numbered, work, processes) if dask is None else _on_dask(dask, numbered, work):
        found[place] = result
        if on_result is not None:
            on_result(place, result)
    return tuple(found[place] for place in range(len(given)))


def _numbered(function: Callable[[Given], Found], given: tuple[int, Given]) -> tuple[int, Found]:
    place, one = given
    return place, function(one)


def _in_processes(function: Callable[[Any], Any], work: Sequence[Any], processes: int | None) -> Iterator[Any]:
    import joblib

    return iter(
        joblib.Parallel(n_jobs=processes or PROCESSES, return_as="generator_unordered")(
            joblib.delayed(function)(one) for one in work
        )
    )


def _on_dask(address: str, function: Callable[[Any], Any], work: Sequence[Any]) -> Iterator[Any]:
    """Results as they come. Work never runs in this process, and is not waited for where nobody is left to do it."""
    with _client(address) as client:
        from distributed import CancelledError, KilledWorker, wait

        waiting, seen = set(client.map(function, work, pure=False)), time.monotonic()
        while waiting:
            done: set[Any] = set()
            try:
                with contextlib.suppress(TimeoutError):
                    done, waiting = wait(waiting, timeout=_LOOK, return_when="FIRST_COMPLETED")
                results = [future.result() for future in done]
            except KilledWorker as error:
                what, hint = "work that ends the Dask workers who do it", "look at their logs; memory may run out"
                raise InputError(what, where=address, got=str(error).splitlines()[0][:160], hint=hint) from None
            except CancelledError as error:
                raise _gone(address, error) from None
            yield from results
            try:
                workers = client.nthreads()
            except (OSError, TimeoutError) as error:
                raise _gone(address, error) from None
            if done or workers:
                seen = time.monotonic()
            if time.monotonic() - seen > ALONE:
                hint = f"start one with 'dask worker {address}'; --resume goes on with what was begun"
                raise InputError("no Dask worker is there", where=address, got=f"none for {ALONE:.0f} s", hint=hint)


def _gone(address: str, error: BaseException) -> InputError:
    what, hint = "the Dask scheduler is gone", "start it and its workers again, and --resume"
    return InputError(what, where=address, got=str(error)[:160], hint=hint)


def _send_files_by_value() -> None:
    """Let what a user's file defines be sent as a whole: no other process could import it by its name."""
    for pickler in ("joblib.externals.cloudpickle", "cloudpickle") if loaded_files() else ():
        if importlib.util.find_spec(pickler) is not None:  # the second comes with Dask
            for module in loaded_files():
                importlib.import_module(pickler).register_pickle_by_value(module)


@contextlib.contextmanager
def _client(address: str) -> Iterator[Any]:
    """A client of this scheduler."""
    need("distributed", "--dask")
    from distributed import Client

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
    with client:
        yield client
