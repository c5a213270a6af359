"""What works, and what is said, where no package of an extra is installed: an import hook refuses them all."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from loaded import opened
from safetensors.numpy import save_file

from bimt_train import MissingExtra
from bimt_train.checkpoints import from_state_dict, save_checkpoint
from bimt_train.extras import EXTRAS, explained, installed, need

ROOT = Path(__file__).resolve().parents[1]
REFUSED = sorted({package for extra in EXTRAS for package in extra.packages})

HOOK = f"""
import sys


class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {REFUSED}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Refusing())
"""

BLOCKS = {  # two networks side by side
    "0.weight": np.kron(np.eye(2), np.array([[1.0, -0.5], [0.7, 0.8], [-0.6, 0.9], [0.4, -1.1], [0.9, 0.3]])),
    "0.bias": np.linspace(-0.5, 0.5, 10),
    "2.weight": np.kron(np.eye(2), np.array([[0.6, -0.7, 0.8, 1.0, -0.9], [0.5, 0.8, -0.6, 0.7, 0.9]])),
    "2.bias": np.zeros(4),
}


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    """A folder in which every Python refuses the packages of the extras; it holds networks."""
    place = tmp_path_factory.mktemp("light")
    (place / "sitecustomize.py").write_text(HOOK)
    np.savez(place / "net.npz", **BLOCKS)
    save_file({name: array.astype(np.float32) for name, array in BLOCKS.items()}, place / "net.safetensors")
    checkpoint = from_state_dict(BLOCKS, activation="silu", ranges=(-1, 1))
    save_checkpoint(place / "ours.safetensors", checkpoint)
    (place / "table.csv").write_text("a,b\n" + "1,2\n" * 20)
    (place / "net.pt").write_bytes((ROOT / "examples" / "data" / "model.pt").read_bytes())
    return place


def paths(light: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(light), str(ROOT)))}


@pytest.fixture(scope="module")
def run(light):
    """Does a command in the folder, or a program, where what is installed without extras is loaded."""
    with opened((), paths(light)) as go:
        yield lambda *words: go(words, light)


@pytest.fixture(scope="module")
def python(run):
    """What a program prints."""

    def printed(program: str) -> str:
        done = run("python", program)
        assert done.status == 0, done.stderr
        return done.stdout

    return printed


def in_a_new_process(light: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=light, env=paths(light), capture_output=True, text=True, check=False)


def test_the_hook_refuses_what_is_not_imported_lazily(run):
    assert "No module named 'torch'" in run("python", "import torch").stderr


def test_a_formula_of_a_table_is_found(python):
    program = (
        "import numpy as np\n"
        "from bimt_analyze.formulas import Rows, find_formula, verify_formula\n"
        "x = np.random.default_rng(0).uniform(1, 3, (200, 2))\n"
        "y = x[:, 0] * np.exp(-x[:, 1])\n"
        "found = find_formula(x[:150], y[:150], names=['a', 'b'], output='y', time_limit=10)\n"
        "rows = {'train': Rows(x[:150], y[:150]), 'test': Rows(x[150:], y[150:])}\n"
        "print(verify_formula(found, **rows, truth=None, ranges=[(1, 3)] * 2).verdict())\n"
        "print(found.expression, found.to_c('decay')[:6])\n"
    )
    verdict, found = python(program).splitlines()[:2]
    assert verdict.startswith("exact on the data") and found.startswith("a*exp(-b)")


def test_a_chain_of_layers_is_read_and_computed_as_by_torch(light, python):
    rows = np.random.default_rng(1).normal(size=(20, 4)) * 3
    np.save(light / "rows.npy", rows)
    program = (
        "import numpy as np\n"
        "from bimt_train.checkpoints import load_checkpoint, read_foreign\n"
        "rows = np.load('rows.npy')\n"
        "for activation in ('silu', 'gelu', 'softplus'):\n"
        "    read = read_foreign('net.npz', activation=activation, ranges=(-1, 1), final='tanh')\n"
        "    np.save(f'{activation}.npy', read.predict(rows))\n"
        "np.save('ours.npy', load_checkpoint('ours.safetensors').predict(rows))\n"
    )
    python(program)
    for activation in ("silu", "gelu", "softplus"):
        network = from_state_dict(BLOCKS, activation=activation, ranges=(-1, 1), final="tanh")
        np.testing.assert_allclose(np.load(light / f"{activation}.npy"), network.predict(rows), rtol=1e-9)
    expected = from_state_dict(BLOCKS, activation="silu", ranges=(-1, 1)).predict(rows)
    np.testing.assert_allclose(np.load(light / "ours.npy"), expected, rtol=1e-9)


ELSEWHERE = ("--activation", "silu", "--range", "-1", "1")
BY_WEIGHTS = (
    "network: not run, so it is neither pruned nor given formulas; pip install 'bimt[train]' brings what runs it"
)


@pytest.mark.parametrize(
    "words",
    [("net.npz", *ELSEWHERE), ("net.safetensors", *ELSEWHERE), ("ours.safetensors",)],
    ids=lambda words: words[0],
)
def test_an_audit_by_weights_ends_with_a_verdict(light, run, words):
    done = run("bimt-analyze", *words, "--audit", "--quiet", "--html", "page.html", "--json", "report.json")
    said = done.stdout.splitlines()
    assert done.status == 0 and not done.stderr
    assert said[0] == BY_WEIGHTS
    assert said[1] == "2 modules: {x1, x2 -> y1, y2}  {x3, x4 -> y3, y4}"
    assert said[2].startswith("Modular: 2 modules, and wiring this specialised is rare by chance (p = 0.005")
    page = (light / "page.html").read_text()
    assert "Pictures are left out: <code>pip install &#39;bimt[plots]&#39;</code>" in page and "<svg" not in page
    assert page.count("pip install &#39;bimt[train]&#39; brings what they need") == 1


def test_many_networks_are_audited_by_weights(run):
    done = run("bimt-analyze", "net.npz", "ours.safetensors", *ELSEWHERE, "--out", "audits", "--quiet")
    assert done.status == 0, done.stderr
    assert [row.split()[:3] for row in done.stdout.splitlines()[1:3]] == [["net", "40", "2"], ["ours", "40", "2"]]


ANALYSES = {
    ("net.pt", *ELSEWHERE): "net.pt, a file of torch.save, needs the package torch",
    ("net.npz", "--activation", "silu", "--probe", "table.csv"): "needs the package pandas",
    ("table.csv", "--target", "b"): "needs the package pandas",
    ("ours.safetensors", "--certify", "proof.json"): "a certificate of formulas needs the package torch",
    ("ours.safetensors", "--edge-weight", "attribution"): "the edge weight attribution needs the package torch",
    ("ours.safetensors", "--dask", "tcp://localhost:1"): "--dask needs the package distributed",
}
TRAININGS = {
    ("independence",): "bimt-train needs the package torch",
    ("table.csv", "--target", "b"): "bimt-train needs the package torch",
}


@pytest.mark.parametrize(
    ("program", "words", "said"),
    [("bimt-analyze", words, said) for words, said in ANALYSES.items()]
    + [("bimt-train", words, said) for words, said in TRAININGS.items()],
)
def test_what_needs_an_extra_ends_in_one_line(run, program, words, said):
    done = run(program, *words, "--quiet")
    assert done.status == 2 and done.stderr.count("\n") == 1, done.stderr
    assert said in done.stderr
    assert "which is not installed; hint: pip install 'bimt[" in done.stderr


def test_the_command_lines_say_what_they_can(light, run):
    assert in_a_new_process(light, "-m", "bimt_train", "--list-tasks").returncode == 0
    assert run("bimt-train", "--help").status == 0
    assert in_a_new_process(light, "-m", "bimt_analyze", "--help").returncode == 0
    done = run("bimt-analyze", "ours.safetensors", "--audit", "--dry-run")
    assert done.status == 0 and "40 weights between neurons" in done.stdout


PYTHON = {
    "from bimt_train import train": "bimt_train.train needs the package torch",
    "from bimt_train.models import MLP": "bimt_train.models.MLP needs the package torch",
    "from bimt_train.models import MODELS; MODELS['gpt']": "the kind of model gpt needs the package torch",
    "from bimt_train.checkpoints import load_checkpoint as l; l('ours.safetensors').network.module()": "torch",
    "from bimt_train.tasks import read_probe_table": "bimt_train.tasks.read_probe_table needs the package pandas",
    "from bimt_train.tasks import two_moons; two_moons().data(0)": "the task two-moons needs the package sklearn",
    "from bimt_train.integrations import TrainerPenalty": "TrainerPenalty needs the package",
    "from bimt_analyze.plots import draw_network": "bimt_analyze.plots.draw_network needs the package matplotlib",
    "from bimt_analyze.formulas import FormulaRegressor": "FormulaRegressor needs the package sklearn",
    "from bimt_analyze.motion import OdeRegressor": "OdeRegressor needs the package sklearn",
    "from bimt_analyze.modules import quotient_graph": "quotient_graph needs the package networkx",
    "import bimt_analyze; bimt_analyze.audit('ours.safetensors', samples=20).to_frame()": "to_frame() needs the",
}


def test_every_missing_package_is_one_error_in_python(python):
    program = "from bimt_train import InputError, MissingExtra\n"
    for line in PYTHON:
        program += f"try:\n    {line}\nexcept MissingExtra as error:\n    print(error)\nelse:\n    print('nothing')\n"
    program += "assert issubclass(MissingExtra, ImportError) and issubclass(MissingExtra, InputError)\n"
    for told, said in zip(python(program).splitlines(), PYTHON.values(), strict=True):
        assert said in told and "; hint: pip install 'bimt[" in told


# Rooms all of whose public names load without extras, but for these names.
LIGHT = {
    "bimt_analyze": ("share",),
    "bimt_analyze.certificates": (),
    "bimt_analyze.fleet": (),
    "bimt_analyze.formulas": ("FormulaModule", "FormulaRegressor", "surrogate"),
    "bimt_analyze.graph": ("MeanAblation", "Trace"),
    "bimt_analyze.modules": ("quotient_graph",),
    "bimt_analyze.report": (),
    "bimt_train.checkpoints": (),
    "bimt_train.expressions": (),
    "bimt_train.losses": (),
    "bimt_train.trajectories": (),
}


def test_every_public_name_loads_or_names_its_extra(run):
    stubs = sorted(stub for package in ("bimt_train", "bimt_analyze") for stub in (ROOT / package).rglob("*.pyi"))
    rooms = [".".join(stub.relative_to(ROOT).parent.parts) for stub in stubs if stub.stem == "__init__"]
    program = (
        "import importlib\n"
        "from bimt_train import MissingExtra\n"
        f"for room in {rooms}:\n"
        "    package = importlib.import_module(room)\n"
        "    for name in package.__all__:\n"
        "        try:\n"
        "            getattr(package, name)\n"
        "        except MissingExtra:\n"
        "            print(room, name)\n"
    )
    done = run("python", program)
    assert done.status == 0, done.stderr  # nothing else was raised
    missing = [line.split() for line in done.stdout.splitlines()]
    assert {room: tuple(sorted(n for r, n in missing if r == room)) for room in LIGHT} == LIGHT


def test_importing_both_packages_loads_next_to_nothing(light):
    done = in_a_new_process(light, "-c", "import sys, bimt_train, bimt_analyze\nprint(*sys.modules)")
    assert "bimt_analyze" in done.stdout
    assert not {"numpy", "scipy", "sympy", "igraph", "pydantic"} & set(done.stdout.split())


def test_other_errors_of_imports_stay_what_they_are():
    broken = ModuleNotFoundError("No module named 'numpy.nowhere'", name="numpy.nowhere")
    assert explained(broken, "something") is broken
    inside = ModuleNotFoundError("No module named 'torch.nowhere'", name="torch.nowhere")  # torch itself is there
    assert explained(inside, "something") is inside
    need("numpy", "an array")
    with pytest.raises(AssertionError, match="no extra brings nowhere_at_all"):
        need("nowhere_at_all", "something")


def test_every_extra_brings_what_it_says(monkeypatch):
    for extra in EXTRAS:
        for package in extra.packages:
            monkeypatch.setitem(sys.modules, package, None)
            assert not installed(package)
            with pytest.raises(MissingExtra, match=rf"pip install 'bimt\[{extra.name}\]'"):
                need(package, "something")
    names = [package for extra in EXTRAS for package in extra.packages]
    assert len(set(names)) == len(names)
