"""``bimt-train --film`` and ``bimt-analyze --film``: one command makes the page of a training."""

import pytest
from test_network_view import content

from bimt_analyze import analyze
from bimt_analyze._cli import main
from bimt_analyze.graph import neuron_graph
from bimt_train import InputError, Recipe, Snapshots, train
from bimt_train.tasks import language
from bimt_train.training import Snapshot, load_snapshots


def test_a_command_writes_the_page_of_a_training(trained, tmp_path):
    page = tmp_path / "film.html"
    assert main([str(trained), "--film", str(page), "--samples", "0", "--time-limit", "0", "--quiet"]) == 0
    snapshots = load_snapshots(trained / "seed-000.safetensors")
    report = analyze(trained / "seed-000.safetensors", samples=0, time_limit=0)
    view = report.to_film(snapshots)
    assert page.read_text() == view.html()
    about, arrays = content(view)
    steps = [one["step"] for one in about["film"]]
    assert steps[0] == 0 and steps[-1] == 30 and set(steps) <= {one.step for one in snapshots}
    first, last = (view.film[k].graph.edges for k in (0, -1))
    assert (
        len(first.weight)
        == (abs(snapshots[0].network.tensors["layers.0.weight"]) > 0.01).sum()
        + (abs(snapshots[0].network.tensors["layers.1.weight"]) > 0.01).sum()
    )
    assert len(last.weight) == snapshots[-1].network.edges()
    named = [one["name"] for one in about["modules"] if one["name"] != "no module"]
    assert len(named) == len(report.modules) and arrays["film_x"].size == len(steps) * len(about["labels"])


def test_neurons_of_a_film_are_in_the_modules_that_came_of_them(planted):
    """Of two blocks, the first neuron of a hidden layer is cut, so that the circuit counts the others anew."""
    network = planted.network
    first = {name: array.copy() for name, array in network.tensors.items()}
    first["layers.0.weight"][0] = 0
    network, x = network.with_tensors(first), planted.x
    report = analyze(network, x=x, y=network.predict(x), samples=0, time_limit=0)
    film = report.to_film((Snapshot(0, planted.network), Snapshot(9, network)))
    assert report.circuit.kept["h1"][0] == 1 and len(film.modules) == 2
    known = [{key for key in own if key != ("h1", 0)} for own in planted.partition.modules]
    assert sorted(map(sorted, film.modules)) == sorted(map(sorted, known))


def test_the_page_of_a_film_stands_beside_other_reports(trained, tmp_path):
    words = ["--samples", "0", "--time-limit", "0", "--quiet", "--all"]
    assert main([str(trained), "--film", str(tmp_path / "f.html"), *words]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.seed-000.html", "f.seed-001.html"]


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_training_that_was_not_kept_is_refused_before_the_work(trained, tmp_path, capsys, more):
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((trained / "seed-000.safetensors").read_bytes())
    assert main([str(alone), "--film", str(tmp_path / "f.html"), *more]) == 2
    said = capsys.readouterr()
    assert "no film was kept of this training" in said.err and "hint: train with --film" in said.err
    assert "pruning" not in said.err


def test_a_film_of_another_network_is_refused(trained, snapshots):
    report = analyze(trained / "seed-000.safetensors", samples=0, time_limit=0)
    with pytest.raises(InputError, match="a film of another network"):
        report.to_film(snapshots)
    with pytest.raises(InputError, match="no film can be made"):
        report.to_film(snapshots[:1])


def test_a_language_model_has_its_film(tmp_path):
    """Its graph may be of directions of the residual stream, which are no neurons of a snapshot."""
    (tmp_path / "text.txt").write_text("abcab. " * 200)
    task = language(tmp_path / "text.txt", context=6, width=8, heads=2, layers=1, hidden=8, rows=(40, 20))
    kept = Snapshots()
    runs = train(task, seeds=1, recipe=Recipe(steps=3, batch=20), callbacks=[kept])
    report = analyze(runs.best.checkpoint, samples=0, time_limit=0)
    film = report.to_film(kept.of(0))
    neurons = neuron_graph(runs.best.checkpoint.network).numbers.keys()
    assert [frame.step for frame in film.film] == [0, 1, 2, 3]
    assert bool(film.modules) == ({key for own in report.module_sets for key in own} <= neurons)
