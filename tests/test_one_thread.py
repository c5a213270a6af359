"""Linear algebra has one thread within a search, and as many as before after it."""

import threadpoolctl

from bimt_analyze._one_thread import on_one_thread


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}


def test_a_search_has_one_thread_and_gives_the_others_back():
    @on_one_thread
    def within(more: int, *, name: str) -> tuple[set[int], int, str]:
        return blas_threads(), more, name

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        assert blas_threads() == {2}
        assert within(3, name="y") == ({1}, 3, "y")
        assert blas_threads() == {2}
