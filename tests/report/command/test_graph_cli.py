"""Graphs on the command line: the circuit of a network for other programs, and a graph in the place of a network."""

import json
import re

import networkx as nx
import pytest

from bimt_analyze import analyze
from bimt_analyze._cli import main
from bimt_analyze.graph import neuron_graph as graph_of_network
from bimt_analyze.graph import read_graph, write_graph
from bimt_analyze.synthetic import block_network
from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec, save_checkpoint

SHORT = ("--samples", "19", "--quiet")


@pytest.fixture(scope="module")
def network():
    return block_network(blocks=[(2, 3, 1)] * 2, seed=0)


@pytest.fixture
def file(network, tmp_path):
    x, y = network.x[:50], network.network.predict(network.x[:50])
    task = TaskSpec("two", ("a", "b", "c", "d"), ("u", "v"), ((-3, 3),) * 4)
    save_checkpoint(tmp_path / "two.safetensors", Checkpoint(network.network, task, Probe(x, y, x, y), {"seed": 0}))
    return tmp_path / "two.safetensors"


@pytest.mark.parametrize("ending", ["gexf", "graphml"])
def test_the_circuit_is_written_with_its_modules(file, tmp_path, ending, capsys):
    path = tmp_path / "folder" / f"circuit.{ending}"
    assert main([str(file), *SHORT, "--time-limit", "0", "--refit", "0", "--graph", str(path)]) == 0
    assert f"graph: {path}" in capsys.readouterr().out
    report = analyze(file, samples=0, time_limit=0, refit_steps=0)
    assert read_graph(path).graph == report.graph
    written = getattr(nx, f"read_{ending}")(path)
    modules = [[node for node in written if written.nodes[node]["module"] == number] for number in (1, 2)]
    assert [sorted(m) for m in modules] == [sorted(f"{g}.{i}" for g, i in nodes) for nodes in report.module_sets]
    assert len(modules[0]) > 2


def test_a_graph_takes_the_place_of_a_network(network, tmp_path, capsys):
    write_graph(graph_of_network(network.network), tmp_path / "g.gexf")
    words = [
        str(tmp_path / "g.gexf"),
        *SHORT,
        "--json",
        str(tmp_path / "g.json"),
        "--graph",
        str(tmp_path / "h.graphml"),
        "--view",
        str(tmp_path / "view.html"),
    ]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "2 modules: the network falls into 2 components from inputs to outputs" in said and "p = 0.05" in said
    assert "assumed" not in said and "weights alone were looked at" in said
    found = json.loads((tmp_path / "g.json").read_text())
    planted = [sorted(f"{g}.{i}" for g, i in module) for module in network.partition.modules]
    assert sorted(map(sorted, found["modules"])) == sorted(planted) and found["significance"]["p"] == 0.05
    assert "12 neurons, 18 edges, 2 modules" in (tmp_path / "view.html").read_text()
    assert read_graph(tmp_path / "h.graphml").graph == graph_of_network(network.network)
    assert {data["module"] for _, data in nx.read_graphml(tmp_path / "h.graphml").nodes(data=True)} == {1, 2}


def test_somebodys_graph_says_what_was_inferred(tmp_path, capsys):
    nx.write_graphml(nx.karate_club_graph(), tmp_path / "club.GraphML")
    assert main([str(tmp_path / "club.GraphML"), *SHORT, "--json", str(tmp_path / "club.json")]) == 0
    said = capsys.readouterr().out
    assert "assumed: groups: no node says its own, so there is one" in said and "chance: not tested, as" in said
    found = json.loads((tmp_path / "club.json").read_text())
    # the split that the club is known for, but for members on the border
    clubs = nx.get_node_attributes(nx.karate_club_graph(), "club")
    assert len(found["modules"]) == 2 and found["significance"] is None and len(found["assumed"]) == 4
    mixed = [[clubs[int(name)] for name in module] for module in found["modules"]]
    assert all(max(map(clubs_in.count, set(clubs_in))) >= 0.9 * len(clubs_in) for clubs_in in mixed)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--audit"], "an option for networks: .* got --audit; hint: leave it out"),
        (["--html", "r.html"], "got --html"),
        (["--require", "modules==2"], "got --require"),
        (["--graph", "g.png"], "a graph of an unknown format: g.png"),
        (["--samples", "-1"], "samples"),
    ],
)
def test_what_a_graph_does_not_have_is_refused(network, tmp_path, capsys, words, message):
    write_graph(graph_of_network(network.network), tmp_path / "g.gexf")
    assert main([str(tmp_path / "g.gexf"), *words]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert re.search(message, line)


def test_bad_graphs_are_one_line(tmp_path, capsys):
    (tmp_path / "g.gexf").write_text('<!DOCTYPE g [<!ENTITY a "b">]><gexf>&a;</gexf>')
    assert main([str(tmp_path / "g.gexf"), *SHORT]) == 2
    assert main([str(tmp_path / "none.graphml"), *SHORT]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "a graph with a document type" in first and "No such file" in second


def test_a_circuits_graph_is_for_one_network(file, tmp_path, capsys):
    assert main([str(file), str(file), "--graph", str(tmp_path / "g.gexf"), *SHORT]) == 2
    assert "--graph is for one network" in capsys.readouterr().err
    assert main([str(file), "--graph", str(tmp_path / "g.svg"), *SHORT]) == 2
    assert "a graph of an unknown format" in capsys.readouterr().err
    assert main([str(file), "--graph", str(tmp_path / "g.gexf"), *SHORT, "--dry-run"]) == 0
    assert f"writes    {tmp_path / 'g.gexf'}" in capsys.readouterr().out and not (tmp_path / "g.gexf").exists()
