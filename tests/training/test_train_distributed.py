"""Seeds in shares: on this machine, and on a Dask cluster."""

import json
import warnings

import pytest

from bimt_train import InputError, Recipe, Relocation, fan_out, train, train_distributed
from bimt_train._cli import main
from bimt_train.tasks import independence

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
    monkeypatch.setattr("bimt_train._fan_out.PATIENCE", "200ms")
    assert main(["independence", "--seeds", "1", "--steps", "1", "--dask", "tcp://127.0.0.1:9", "--quiet"]) == 2
    said = capsys.readouterr().err
    assert "no Dask scheduler answers" in said and "tcp://127.0.0.1:9" in said
    assert said.count("\n") == 1
