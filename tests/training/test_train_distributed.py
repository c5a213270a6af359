"""Seeds in shares: on this machine, and on a Dask cluster."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bimt_train import InputError, Recipe, Relocation, train
from bimt_train._cli import main
from bimt_train.fan_out import fan_out
from bimt_train.tasks import independence
from bimt_train.training import _train_distributed, train_distributed

SHORT = Recipe(steps=40, lr=5e-3, relocation=Relocation(every=10))


@pytest.fixture(scope="module")
def cluster():
    """The address of a scheduler with two workers, which are threads of this process."""
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the cluster says of its own clocks and ports is not ours to mend
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
        ) as local:
            yield local.scheduler_address


def same(a, b) -> bool:
    ours, theirs = a.checkpoint.network, b.checkpoint.network
    return ours.placement == theirs.placement and all(
        (ours.tensors[name] == theirs.tensors[name]).all() for name in ours.tensors
    )


def test_shares_give_the_networks_of_one_batch_in_the_order_of_the_seeds():
    seeds = (7, 1, 2, 3, 9, 0)
    together = train(independence(), seeds=seeds, recipe=SHORT)
    apart = train_distributed(independence(), dask=None, seeds=seeds, recipe=SHORT, processes=1)
    assert [run.seed for run in apart.runs] == list(seeds)
    assert all(map(same, together.runs, apart.runs))
    assert [run.history for run in apart.runs] == [run.history for run in together.runs]


def test_a_cluster_trains_what_one_machine_trains_and_goes_on_where_it_stopped(cluster, tmp_path):
    words = ["independence", "--seeds", "5", "--steps", "40", "--quiet"]
    assert main([*words, "--dask", cluster, "--out", str(tmp_path / "there")]) == 0
    assert main([*words, "--out", str(tmp_path / "here")]) == 0
    there, here = (json.loads((tmp_path / name / "runs.json").read_text()) for name in ("there", "here"))
    assert [r["test_loss"] for r in there["records"]] == [r["test_loss"] for r in here["records"]]
    assert {path.name for path in (tmp_path / "there" / "shares").iterdir()} == {"000-001-002-003", "004"}
    before = (tmp_path / "there" / "shares" / "004" / "state.safetensors").stat().st_mtime_ns
    for file in (tmp_path / "there" / "shares" / "000-001-002-003").iterdir():
        file.unlink()  # as if this share had not begun
    assert main([*words, "--dask", cluster, "--out", str(tmp_path / "there"), "--resume"]) == 0
    again = json.loads((tmp_path / "there" / "runs.json").read_text())
    assert [r["test_loss"] for r in again["records"]] == [r["test_loss"] for r in here["records"]]
    assert (tmp_path / "there" / "shares" / "004" / "state.safetensors").stat().st_mtime_ns > before


def test_results_come_in_the_order_given_and_errors_come_out(cluster):
    assert fan_out(abs, [-3, 2, -1], dask=cluster) == (3, 2, 1)
    assert fan_out(abs, [-3, 2, -1], processes=1) == (3, 2, 1)
    with pytest.raises(InputError, match="seeds cannot be used"):
        train_distributed(independence(), dask=cluster, seeds=[1, 1], recipe=SHORT)
    with pytest.raises(ValueError, match="invalid literal"):
        fan_out(int, ["1", "one"], dask=cluster)


def test_a_scheduler_that_does_not_answer_is_bad_input(capsys, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("bimt_train.fan_out.PATIENCE", "200ms")
    assert main(["independence", "--seeds", "1", "--steps", "1", "--dask", "tcp://127.0.0.1:9", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "no Dask scheduler answers" in said and "tcp://127.0.0.1:9" in said
    assert said.count("\n") == 1


def is_done_here(_: int) -> bool:
    return threading.current_thread() is threading.main_thread()  # workers in this process are threads of it


@contextmanager
def local_cluster(**options):
    """A cluster whose processes, where it has some, are children of one that has loaded what they need."""
    distributed, dask = map(pytest.importorskip, ("distributed", "dask"))
    warnings.simplefilter("ignore")  # what the cluster says of its own clocks and ports is not ours to mend
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        loaded = ["distributed", "distributed.nanny", "bimt_train.training._train", "bimt_train.models"]
        distributed.utils.get_mp_context().set_forkserver_preload(loaded)
        with distributed.LocalCluster(
            threads_per_worker=1, protocol="tcp", dashboard_address=None, **options
        ) as cluster:
            yield cluster


@pytest.mark.filterwarnings("ignore")
def test_a_lone_worker_with_one_thread_does_the_work():
    with local_cluster(n_workers=1, processes=False) as lone:
        assert fan_out(is_done_here, range(3), dask=lone.scheduler_address) == (False,) * 3
    assert fan_out(is_done_here, range(3), processes=1) == (True,) * 3


@pytest.mark.filterwarnings("ignore")
def test_work_without_workers_is_told_in_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("bimt_train.fan_out.ALONE", 0.5)
    monkeypatch.setattr("bimt_train.fan_out._LOOK", 0.1)
    with local_cluster(n_workers=0, processes=False) as empty:
        words = ["independence", "--seeds", "1", "--steps", "1", "--quiet", "--out", str(tmp_path)]
        assert main([*words, "--dask", empty.scheduler_address]) == 2
    said = capsys.readouterr().err
    assert "error: no Dask worker is there: tcp://" in said and said.count("\n") == 1


def missing_file(_: int) -> None:
    raise FileNotFoundError("that of the work")


def test_a_file_that_the_work_misses_is_not_said_of_the_scheduler(cluster):
    with pytest.raises(FileNotFoundError, match="that of the work"):
        fan_out(missing_file, [0], dask=cluster)


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_lost_is_told_in_one_line(tmp_path):
    pytest.importorskip("distributed")
    told = tmp_path / "scheduler.json"
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told)]
    with subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_scheduler", *words], stderr=subprocess.DEVNULL
    ) as scheduler:
        while not told.exists() or not told.read_text().strip():
            assert scheduler.poll() is None
            time.sleep(0.05)
        killer = threading.Timer(1.5, scheduler.kill)
        killer.start()
        with pytest.raises(InputError, match="the Dask scheduler is gone"):
            fan_out(abs, [-1], dask=json.loads(told.read_text())["address"])
        killer.join()


@pytest.mark.filterwarnings("ignore")
def test_a_share_whose_worker_is_killed_goes_on_with_another_and_the_table_grows(tmp_path):
    recipe, seeds, pids = replace(SHORT, steps=1500), range(8), []
    with local_cluster(n_workers=2, processes=True) as cluster:
        from distributed import Client

        with Client(cluster) as client:
            pids += client.run(os.getpid).values()

        def kill_one() -> None:
            while len(list(tmp_path.glob("shares/*/state.safetensors"))) < 2:
                time.sleep(0.05)
            os.kill(pids[0], signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        apart = train_distributed(
            independence(), dask=cluster.scheduler_address, seeds=seeds, recipe=recipe, out=tmp_path
        )
        killer.join()
    assert all(map(same, train(independence(), seeds=seeds, recipe=recipe).runs, apart.runs))
    assert len(json.loads((tmp_path / "runs.json").read_text())["records"]) == 8


def test_the_table_holds_what_has_ended(tmp_path, monkeypatch):
    seen = []

    def one_by_one(work, shares, *, on_result, **_):
        parts = []
        for place, share in enumerate(shares):
            parts.append(work(share))
            on_result(place, parts[-1])
            seen.append(len(json.loads((tmp_path / "runs.json").read_text())["records"]))
        return tuple(parts)

    monkeypatch.setattr(_train_distributed, "fan_out", one_by_one)
    train_distributed(independence(), dask=None, seeds=6, recipe=replace(SHORT, steps=2), out=tmp_path)
    assert seen == [4, 6]
