import os
import time

import pytest

from benchmarks.common._workers import watched


def said(job):
    yield f"{job} begins"
    if job == "hangs":
        time.sleep(60)
    if job == "fails":
        raise ValueError("no such thing")
    if job == "dies":
        os._exit(3)
    yield os.environ["OMP_NUM_THREADS"]


def test_one_job_that_fails_dies_or_hangs_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch):
    for name in ("PYTHONPATH", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # are as before once the test is over
        monkeypatch.setenv(name, "")
    jobs = ["hangs", "good", "fails", "dies", "good too"]
    began = time.monotonic()
    ended = {one.job: one for one in watched(said, jobs, limits=(30.0, 1.0), processes=2)}
    assert time.monotonic() - began < 45
    assert {job: one.fault for job, one in ended.items()} == {
        "hangs": "ended after 1 s",
        "good": "",
        "fails": "ValueError: no such thing",
        "dies": "the process died",
        "good too": "",
    }
    assert {job: len(one.messages) for job, one in ended.items()} == {
        "hangs": 1, "good": 2, "fails": 1, "dies": 1, "good too": 2,
    }  # fmt: skip
    assert ended["good"].messages == ("good begins", "1")
