"""A fleet whose jobs are done in this process: to start others takes longer than they do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from bimt_analyze._jobs import Job
from bimt_analyze.fleet._processes import Answer
from bimt_analyze.fleet._worker import answer

ONE_AT_A_TIME = threading.Lock()  # matplotlib draws in one thread alone


class Here:
    """Stands for the process that does the jobs."""

    def do(self, job: Job, time_budget: float | None) -> Answer:
        with ONE_AT_A_TIME:
            return answer(job), 0.1

    def close(self) -> str:
        return ""


@contextmanager
def in_this_process() -> Iterator[None]:
    with patch("bimt_analyze.fleet._analyze_many.Worker", Here):
        yield
