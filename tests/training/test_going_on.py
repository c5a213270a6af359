"""Going on from a trained network: what is taken over, what stays, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from bimt_train import InputError, Recipe, Relocation, train
from bimt_train._cli import main
from bimt_train.checkpoints import Checkpoint, load_checkpoint
from bimt_train.library._from_network import living
from bimt_train.tasks import Task, formula_task, modular_addition

SHORT = Recipe(steps=30, lr=1e-2, relocation=Relocation(every=10))


def task(formulas: list[str], inputs: tuple[str, ...], hidden: int = 12) -> Task:
    return formula_task(formulas, inputs=inputs, widths=(len(inputs), hidden, hidden, len(formulas)), rows=(30, 20))


@pytest.fixture(scope="module")
def first() -> Checkpoint:
    """A network of which a third of the hidden neurons lead to nothing."""
    run = train(task(["a1 = x1*x2", "a2 = x2**2"], ("x1", "x2")), seeds=1, recipe=SHORT).best
    tensors = {name: array.copy() for name, array in run.checkpoint.network.tensors.items()}
    tensors["layers.1.weight"][:, 8:] = 0
    tensors["layers.2.weight"][:, 8:] = 0.005
    return replace(run.checkpoint, network=run.checkpoint.network.with_tensors(tensors))


def hidden(tensors, x: np.ndarray) -> np.ndarray:
    """The last hidden layer."""
    for layer in (0, 1):
        z = x @ tensors[f"layers.{layer}.weight"].T.astype(float) + tensors[f"layers.{layer}.bias"]
        x = z / (1 + np.exp(-z))
    return x


def test_living_neurons_are_those_that_an_output_depends_on(first):
    found = living(first.network)
    assert [int(found[name].sum()) for name in ("x", "h1", "h2", "y")] == [2, 8, 8, 2]


def test_what_is_kept_computes_what_it_did(first):
    second = task(["b1 = x1*x2 + x3", "b2 = x2**2 - x1"], ("x3", "x2", "x1"), hidden=14)
    kept = train(second, seeds=2, recipe=SHORT, given=first)
    moved = train(second, seeds=1, recipe=SHORT, given=first, keep=False)
    x = np.random.default_rng(0).uniform(-1, 1, (50, 3))
    before = hidden(first.network.tensors, x[:, [2, 1]])[:, :8]
    for run in kept.runs:
        np.testing.assert_allclose(hidden(run.checkpoint.network.tensors, x)[:, :8], before, atol=1e-6)
        (said,) = run.checkpoint.config["given"]
        weights = [run.checkpoint.network.tensors[f"layers.{k}.weight"] for k in (1, 2)]
        read = max(np.abs(weights[0][8:, :8]).max(), np.abs(weights[1][:, :8]).max())
        assert said["task"] == "formula" and said["kept"] and sum(map(len, said["neurons"].values())) == 16
        assert said["strongest"] == pytest.approx(read) and said["used"]
    assert np.abs(hidden(moved.best.checkpoint.network.tensors, x)[:, :8] - before).max() > 1e-2
    new = [run.checkpoint.network.tensors["layers.1.weight"][8:] for run in kept.runs]
    assert (np.abs(new[0]) > 1e-3).mean() > 0.5 and (new[0] != new[1]).any()


def test_outputs_of_the_same_name_go_on_from_where_they_were(first):
    one_step = replace(SHORT, steps=1, lr=1e-6)
    second = task(["a2 = x2**2", "b = x1"], ("x1", "x2"))
    same = train(second, seeds=1, recipe=one_step, given=first, keep=False).best.checkpoint
    x = np.random.default_rng(0).uniform(-1, 1, (20, 2))
    np.testing.assert_allclose(same.predict(x)[:, 0], first.predict(x)[:, 1], atol=0.1)
    assert same.network.placement.slots["h1"] == first.network.placement.slots["h1"]


def test_a_run_that_goes_on_is_resumed_with_the_same_start_alone(first, tmp_path):
    second = task(["b1 = x1", "b2 = x2"], ("x1", "x2"))
    whole = train(second, seeds=1, recipe=SHORT, given=first, out=tmp_path).best
    again = train(second, seeds=1, recipe=SHORT, given=first, out=tmp_path, resume=True).best
    assert all((again.checkpoint.network.tensors[n] == t).all() for n, t in whole.checkpoint.network.tensors.items())
    with pytest.raises(InputError, match="other given"):
        train(second, seeds=1, recipe=SHORT, out=tmp_path, resume=True)


@pytest.mark.parametrize(
    ("other", "options", "said"),
    [
        (lambda: task(["b = x1"], ("x1",), hidden=6), {}, "12|at least as many neurons"),
        (lambda: formula_task(["y = x1"], widths=(1, 12, 1)), {}, "the same groups|layers"),
        (lambda: modular_addition(5), {}, "cannot go on"),
        (lambda: task(["b = x1"], ("x1",)), {"kind": "bimt+reuse"}, "given networks and rules"),
    ],
)
def test_what_cannot_go_on_is_refused(first, other, options, said):
    with pytest.raises(InputError, match=said):
        train(other(), seeds=1, **{"recipe": SHORT, "given": first, **options})


def test_going_on_from_the_shell(tmp_path, capsys):
    def words(formula: str, out: str, *more: str) -> list[str]:
        return [formula, "--steps", "20", "--seeds", "1", "--quiet", "--out", str(tmp_path / out), *more]

    assert main(words("y = x1*x2", "a")) == 0
    assert main(words("z = x1*x2 + x1", "b", "--with", str(tmp_path / "a"))) == 0
    first, second = (load_checkpoint(tmp_path / name / "seed-000.safetensors") for name in "ab")
    alive = living(first.network)["h1"]
    for name in ("layers.0.weight", "layers.0.bias"):
        np.testing.assert_array_equal(second.network.tensors[name][alive], first.network.tensors[name][alive])
    capsys.readouterr()
    assert main(words("z = x1", "c", "--soft")) == main(words("z = x1", "c", "--with", "nowhere")) == 2
    assert main(words("z = x1", "c", "--with", str(tmp_path / "a"), "--sweep", "lr=1,2")) == 2
    said = capsys.readouterr().err
    assert "--soft is for --with" in said and "no such file: nowhere" in said and "--with is for one run" in said
