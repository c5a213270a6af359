"""Linear algebra on one thread, where matrices are small: threads would mostly wait for each other."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

P = ParamSpec("P")
R = TypeVar("R")


def on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The function, within which numpy's and scipy's linear algebra has one thread.

    A search solves tens of thousands of small systems. On a busy machine, a second thread made them fifteen times
    slower, and the search ended by the clock.

    Parameters
    ----------
    function : callable
        Any function.
    """

    @wraps(function)
    def limited(*given: P.args, **named: P.kwargs) -> R:
        with threadpool_limits(1, user_api="blas"):
            return function(*given, **named)

    return limited
