"""Every public value: one line at a prompt, little in a notebook, and copies that are what the value is.

The values are those that a small training, sweep, analysis, audit and fleet return, with all that these hold; then
those that the docstrings of public classes make; then a few that are made here. A public class of values that has none
among them fails `test_every_public_class_has_a_value`.
"""

import ast
import contextlib
import copy
import dataclasses
import doctest
import functools
import importlib
import io
import pickle
import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

import griffe
import joblib
import networkx
import numpy as np
import pandas as pd
import pytest
import sympy
import torch
from test_public_names import public_objects, public_packages

from bimt_analyze._jobs import Outcome
from bimt_analyze.audits import audit_graph
from bimt_analyze.audits.chance.retraining._retrainings import RETRAININGS
from bimt_analyze.certificates import certify, check_certificate
from bimt_analyze.fleet import Fleet
from bimt_analyze.fleet._member import Failure, Member
from bimt_analyze.formulas import Formula
from bimt_analyze.formulas._front import ParetoEntry
from bimt_analyze.graph import adopt_graph, neuron_graph
from bimt_analyze.representations import FiniteGroup, operation_table, real_characters, target_group
from bimt_analyze.representations._token_numbers import token_numbers
from bimt_analyze.representations.group_tables._characters import character_table
from bimt_analyze.transformers import stream_map
from bimt_train import Recipe, sweep, train
from bimt_train.checkpoints import Network, from_state_dict
from bimt_train.frozen import FrozenDict
from bimt_train.integrations import Penalty
from bimt_train.layouts import parse_pattern
from bimt_train.models import GPT
from bimt_train.registry import Entry
from bimt_train.showing import LINE, ROWS, Shown, to_cell
from bimt_train.tasks import formula_task, independence

MOST = 5000  # characters of a cell of a notebook, pictures not counted
PICTURE = re.compile(r'(?<=src=")data:image/png;base64,[^"]*')
VALUES = {"BaseModel", "NamedTuple", "dict"}  # the bases of values that are no dataclasses
HOLD_FUNCTIONS = {"Neurons"}  # declarations of models, made when asked; no result holds them


def through_file(dump, load):
    def copied(value):
        file = io.BytesIO()
        dump(value, file)
        file.seek(0)
        return load(file)

    return copied


COPIES = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "deepcopy": copy.deepcopy,
    "joblib": through_file(joblib.dump, joblib.load),
    "torch": through_file(torch.save, lambda file: torch.load(file, weights_only=False)),
}


@functools.cache
def public_classes():
    """The classes of values that users hold: public dataclasses, named tuples, mappings, options; what is Shown."""
    classes = {}
    for path, each in public_objects().items() | shown_objects().items():
        bases = {str(base).split("[")[0] for base in each.bases} if each.is_class else set()
        if "dataclass" in each.labels or bases & VALUES:
            module, _, name = path.rpartition(".")
            classes[path] = getattr(importlib.import_module(module), name)
    return {path: one for path, one in classes.items() if not issubclass(one, Entry)}


def shown_objects() -> dict[str, griffe.Class]:
    """The dataclasses that are Shown, in every file: a public value may hold one that nobody imports."""
    found = {}
    for each in public_packages().values():
        rooms = [each]
        for module in rooms:
            rooms += module.modules.values()
            own = [one for one in module.classes.values() if not one.is_alias]
            found |= {one.path: one for one in own if "Shown" in map(str, one.bases)}
    return {path: one for path, one in found.items() if path not in {each.path for each in public_objects().values()}}


def held(value, seen: dict) -> Iterator:
    """A value of this project, and all of this project's values that it holds."""
    if id(value) in seen or isinstance(value, str | bytes | np.ndarray | torch.Tensor | type):
        return
    seen[id(value)] = value
    if type(value).__module__.startswith("bimt_"):
        yield value
    parts = ()
    if dataclasses.is_dataclass(value):
        parts = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, Mapping):
        parts = list(value.values())
    elif isinstance(value, tuple | list | set | frozenset):
        parts = value
    for part in parts:
        yield from held(part, seen)


def in_docstring(found: type) -> list:
    """What the examples of a class name, and what every call of the class in them gives."""
    module = vars(importlib.import_module(found.__module__))
    space, made = dict(module), []
    with contextlib.redirect_stdout(io.StringIO()):
        for example in doctest.DocTestParser().get_examples(found.__doc__ or ""):
            tree = ast.parse(example.source)
            if not example.exc_msg:
                exec(compile(tree, "<example>", "exec"), space)
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            ours = [call for call in calls if ast.unparse(call.func).split(".")[0] == found.__name__]
            made += [eval(ast.unparse(call), space) for call in ours]
    return made + [value for name, value in space.items() if name not in module]


def made_here(report) -> list:
    """Values that nothing else holds and no docstring makes by a call of the class."""
    checkpoint = from_state_dict({"weight": np.array([[1.0, 2.0]])}, activation="relu", ranges=(-1, 1))
    certificate = certify(checkpoint, "x1 + 2*x2", output="y1")
    pairs = np.array([[a, b] for a in range(3) for b in range(3)], dtype=np.float64)
    cyclic = FiniteGroup(np.add.outer(np.arange(3), np.arange(3)) % 3)
    return [
        parse_pattern("(2 y) x"), certificate,
        check_certificate(certificate.data), RETRAININGS["l1"].function(checkpoint),
        report.check("circuit.edges>0"), character_table(cyclic), real_characters(cyclic),
        stream_map(Network.of(GPT(5, 4, 8, heads=2, layers=1, hidden=6))),
        token_numbers(target_group(operation_table(pairs, pairs.sum(axis=1, keepdims=True) % 3))),
        adopt_graph(networkx.DiGraph([("a", "b")])), audit_graph(neuron_graph(checkpoint.network), samples=10),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def results(report, audited):
    task, recipe = formula_task(["y = x1 + x2"]), Recipe(steps=2)
    found = {"edges": 7, "modules": 2, "matches": True, "exact": 2, "formulas": 2, "p": 0.01, "modular": None}
    analysed = Outcome("net.pt", report.summary(), (), {}, **found)
    refused = Failure("refused", "no such file")
    return {
        "Runs": train(independence(), seeds=12, recipe=recipe),
        "Sweep": sweep(task, {"lr": [0.1, 0.2]}, seeds=2, recipe=recipe),
        "Report": report,
        "Audit": audited.audit,
        "Fleet": Fleet((Member("net", "net.pt", analysed, None, 0.1), Member("other", "other.pt", None, refused, 0.1))),
    }


@pytest.fixture(scope="module")
def values(results, report):
    """Class -> its values, of many the three with the longest line."""
    seen, grouped = {}, {}

    def keep(value):
        for one in held(value, seen):
            grouped.setdefault(type(one), []).append(one)

    keep([results, made_here(report)])
    for each in public_classes().values():
        if not any(issubclass(one, each) for one in grouped):
            keep(in_docstring(each))
    return {one: sorted(several, key=lambda value: -len(repr(value)))[:3] for one, several in grouped.items()}


@pytest.fixture(scope="module")
def public(values):
    """All values of public classes."""
    classes = tuple(public_classes().values())
    return [value for one, several in values.items() if issubclass(one, classes) for value in several]


def test_every_public_class_has_a_value(values):
    lacking = [path for path, each in public_classes().items() if not any(issubclass(one, each) for one in values)]
    assert not lacking, "make one of each in made_here, or show one in its docstring"
    assert len(public_classes()) > 120


def test_every_public_dataclass_keeps_to_a_line():
    classes = {path: one for path, one in public_classes().items() if dataclasses.is_dataclass(one)}
    others = {path for path, one in classes.items() if one.__repr__ is not Shown.__repr__}
    assert others == {"bimt_analyze.certificates.Checked"}  # the checker stands on numpy alone


def test_a_value_is_one_line_at_a_prompt(public):
    lines = {type(value).__name__: repr(value) for value in public}
    assert not {name: line for name, line in lines.items() if len(line) > LINE or "\n" in line or "array(" in line}
    assert not {name: line for name, line in lines.items() if " object at 0x" in line}


def test_a_notebook_shows_little(public):
    shown = [value for value in public if hasattr(value, "_repr_html_")]
    assert len({type(value) for value in shown}) >= 12
    for value in shown:
        text = PICTURE.sub("", value._repr_html_())
        assert len(text) < MOST, type(value)
        closed = re.sub(r"(<img[^>]*)>", r"\1/>", text)
        ElementTree.fromstring(f"<p>{closed}</p>")  # every other element is closed
    for value in public:
        if hasattr(value, "_repr_latex_"):
            assert re.fullmatch(r"\$[^$]+\$", value._repr_latex_()), type(value)


@pytest.mark.parametrize("how", COPIES)
def test_copies_are_what_the_values_are(how, public):
    for value in public:
        if type(value).__name__ not in HOLD_FUNCTIONS:
            copied = COPIES[how](value)
            assert type(copied) is type(value) and repr(copied) == repr(value)


def test_values_can_be_compared(public):
    for value in public:
        other = value if type(value).__name__ in HOLD_FUNCTIONS else copy.deepcopy(value)
        assert value == value and (value == other) in (True, False) and (value != other) is not (value == other)


def test_a_line_says_what_matters(results):
    runs, report = results["Runs"], results["Report"]
    assert re.fullmatch(r"Runs\(12 seeds of independence, best loss [\d.e-]+\)", repr(runs))
    assert re.fullmatch(r"Run\(seed \d+ of independence, test loss [\d.e-]+\)", repr(runs.best))
    assert repr(runs.best.checkpoint) == "Checkpoint(independence; mlp: x 4, h1 20, h2 20, y 2)"
    assert repr(results["Sweep"]) == "Sweep(2 recipes of formula over lr)"
    assert repr(report) == "Report(handmade: y1 = x1 + 2*x3, y2 = x2 - x4, 2 modules)"
    assert repr(report.formulas["y1"]).startswith("Formula(y1 = x1 + 2*x3: exact on the data; ")
    assert repr(results["Audit"]) == f"Audit(handmade: {results['Audit'].summary()[0]})"
    assert repr(results["Fleet"]) == "Fleet(1 of 2 files analysed, 1 not)"
    assert repr(Recipe(steps=5)).startswith("Recipe(steps=5, ")


def test_a_cell_has_the_verdict_and_the_formulas(results):
    shown = results["Report"]._repr_html_()
    assert results["Report"].fit.statement in shown and shown.count("<math") == 2
    assert "2 modules, matching the decomposition" in shown and '<img alt="A network of x 4' in shown
    assert results["Report"].formulas["y1"]._repr_latex_() == "$y_{1} = x_{1} + 2 x_{3}$"
    assert "and 2 more" in results["Runs"]._repr_html_()  # of twelve seeds ten are shown


def test_a_long_formula_does_not_fill_the_cell():
    terms = [sympy.Symbol(f"x{i}", real=True) ** i / 7 for i in range(1, 300)]
    formula = Formula("y", sympy.Add(*terms), (), 1.0, 0.0, 0.0, 0.0, 1, (), 1)
    assert len(formula._repr_html_()) < MOST and "<math" not in formula._repr_html_() and "..." in formula._repr_html_()
    assert formula._repr_latex_() is None and ParetoEntry(sympy.Add(*terms), 1, 0.0)._repr_latex_() is None
    assert len(repr(formula)) <= LINE and "not verified" in repr(formula)


def test_what_is_missing_is_a_dash():
    assert "<td>–</td><td>–</td><td>0</td>" in to_cell("x", columns=("a", "b", "c"), rows=[(None, float("nan"), 0.0)])


def test_what_stands_in_a_cell_is_escaped():
    shown = to_cell("<b>", lines=["a & b"], columns=("<i>",), rows=[("<script>",)] * (ROWS + 3))
    assert "&lt;b&gt;" in shown and "a &amp; b" in shown and "<script>" not in shown and "<i>" not in shown
    assert shown.count("&lt;script&gt;") == ROWS and "and 3 more" in shown


def test_tables_are_data_frames(results):
    audited = results["Audit"]
    frames = {name: value.to_frame() for name, value in results.items()}
    assert all(isinstance(frame, pd.DataFrame) for frame in frames.values())
    assert frames["Runs"]["seed"].tolist() == [run.seed for run in results["Runs"].ranked()]
    assert frames["Report"].set_index("output").loc["y2", "expression"] == "x2 - x4"
    assert frames["Fleet"].set_index("name").loc["other", "reason"] == "no such file"
    assert frames["Fleet"].set_index("name").loc["net", "exact"] == 2
    assert frames["Audit"]["text"].tolist() == list(audited.summary())
    edges = audited.graph.to_frame()
    labels = {node.label: number for number, node in enumerate(audited.graph.nodes)}
    dense = np.zeros((len(labels), len(labels)))
    dense[edges["target"].map(labels), edges["source"].map(labels)] = edges["weight"]
    assert np.array_equal(dense, audited.graph.adjacency())
    assert len(audited.levels.to_frame()) == len(audited.levels.levels)


def test_mappings_of_arrays_are_equal_when_all_entries_are():
    one, other = ({"w": np.arange(3.0), "n": 1}, {"w": np.array([0.0, 1.0, 2.0]), "n": 1})
    assert FrozenDict(one) == FrozenDict(other) == other
    for changed in ({"w": np.arange(3.0) + 1}, {"w": np.arange(4.0)}, {"w": 0.0}, {"n": 2}, {"m": 1}):
        assert FrozenDict(one) != FrozenDict(other | changed) and FrozenDict(other | changed) != FrozenDict(one)


def test_a_copied_network_computes_the_same_and_cannot_be_changed(results):
    network = results["Runs"].best.checkpoint.network
    x = np.random.default_rng(0).uniform(-1, 1, (20, 4))
    copied = copy.deepcopy(network)
    assert (copied.predict(x) == network.predict(x)).all()
    with pytest.raises(ValueError, match="read-only"):
        copied.tensors["layers.0.weight"][0, 0] = 1.0
    with pytest.raises(TypeError, match="cannot be changed"):
        copied.tensors["layers.0.weight"] = np.zeros(1)


def test_copied_reports_are_written_alike(report):
    copied = pickle.loads(pickle.dumps(report))
    assert copied.to_json() == report.to_json()


def test_a_penalty_in_the_middle_of_a_training_can_be_saved():
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    penalty = Penalty.of(module)
    copied = COPIES["torch"](penalty)
    assert copied.cost(module).item() == penalty.cost(module).item() > 0
