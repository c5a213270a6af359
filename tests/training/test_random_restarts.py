"""Several first weights a seed: the one that does best on its training rows goes on, whatever other seeds there are."""

from dataclasses import replace

import numpy as np
import pytest

from bimt_train import InputError, Phase, RandomRestarts, Recipe, Snapshots, train
from bimt_train.checkpoints import load_checkpoint
from bimt_train.models.from_spec import build_model
from bimt_train.tasks import independence, modular_addition, two_moons
from bimt_train.training import Callback, Record
from bimt_train.training._random_restarts import drawing_seed
from bimt_train.training.state._progress import Progress

PLAIN = Recipe(steps=40, lr=1e-2, phases=(Phase(0.0, 1e-3),))
RESTARTED = replace(PLAIN, restarts=RandomRestarts(replicas=3, until=0.25))


class Loud(Callback):
    """Remembers what it hears, and interrupts at a step if it is told to."""

    def __init__(self, at: int | None = None) -> None:
        self.at, self.records, self.lost = at, [], []

    def on_record(self, record: Record) -> None:
        self.records.append(record)
        if record.step == self.at:
            raise KeyboardInterrupt

    def on_diverged(self, seed: int, step: int) -> None:
        self.lost.append((seed, step))


def tensors_of(run) -> dict[str, np.ndarray]:
    return dict(run.checkpoint.network.tensors)


def same(a, b) -> bool:
    left, right = tensors_of(a), tensors_of(b)
    return all(np.array_equal(left[name], right[name]) for name in left)


def begun_from(replica: int, monkeypatch, *, task, seed: int, recipe: Recipe):
    """The run that begins from one of the first weights alone: an independent way to the same network."""
    with monkeypatch.context() as patch:
        patch.setattr("bimt_train.training._train.drawing_seed", lambda row: drawing_seed((row[0], replica)))
        return train(task, seeds=[seed], recipe=recipe).runs[0]


@pytest.mark.parametrize("task", [independence(), two_moons()])
def test_the_replica_of_the_least_training_loss_goes_on_and_it_alone(task, monkeypatch):
    for run in train(task, seeds=3, recipe=RESTARTED).runs:
        alone = [begun_from(k, monkeypatch, task=task, seed=run.seed, recipe=PLAIN) for k in range(3)]
        at_the_end = [next(h["train_loss"] for h in one.history if h["step"] == 10) for one in alone]
        winner = int(np.argmin(at_the_end))
        assert run.checkpoint.config["replica"] == winner
        assert same(run, alone[winner])


def test_the_first_replica_is_the_seed_itself_and_the_others_differ():
    assert drawing_seed((5, 0)) == 5
    assert len({drawing_seed((seed, replica)) for seed in range(4) for replica in range(5)}) == 20


def test_each_record_is_the_leaders(monkeypatch):
    loud = Loud()
    train(independence(), seeds=1, recipe=RESTARTED, callbacks=[loud])
    alone = [begun_from(s, monkeypatch, task=independence(), seed=0, recipe=PLAIN).history for s in range(3)]
    for record in loud.records:
        if record.step <= 10:
            least = min(
                (h for history in alone for h in history if h["step"] == record.step), key=lambda h: h["train_loss"]
            )
            assert float(record.train_loss[0]) == least["train_loss"]
            assert float(record.test_loss[0]) == least["test_loss"]
            assert int(record.edges[0]) == least["edges"]


def test_restarts_are_the_same_whatever_other_seeds_there_are():
    batched = replace(RESTARTED, batch=40)
    together = train(modular_addition(5), seeds=3, recipe=batched)
    alone = train(modular_addition(5), seeds=[2], recipe=batched)
    assert same(together.runs[2], alone.runs[0])


@pytest.mark.parametrize("at", [4, 10, 22])
def test_restarts_go_on_after_a_break(at, tmp_path):
    unbroken = train(independence(), seeds=2, recipe=RESTARTED)
    broken = train(independence(), seeds=2, recipe=RESTARTED, out=tmp_path, callbacks=[Loud(at)])
    assert broken.interrupted
    assert load_checkpoint(tmp_path / "seed-001.safetensors").config["steps_done"] < at
    resumed = train(independence(), seeds=2, recipe=RESTARTED, out=tmp_path, resume=True)
    for a, b in zip(unbroken.runs, resumed.runs, strict=True):
        assert same(a, b)
        assert a.history == b.history
        assert a.checkpoint.config == b.checkpoint.config


def test_a_break_just_as_restarts_end_loses_nothing(tmp_path, monkeypatch):
    unbroken = train(independence(), seeds=2, recipe=RESTARTED)

    def interrupted(progress, rows):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "only", interrupted)
        assert train(independence(), seeds=2, recipe=RESTARTED, out=tmp_path).interrupted
    resumed = train(independence(), seeds=2, recipe=RESTARTED, out=tmp_path, resume=True)
    for a, b in zip(unbroken.runs, resumed.runs, strict=True):
        assert same(a, b)
        assert a.history == b.history


def test_a_replica_that_diverges_ends_and_is_not_reported(monkeypatch):
    built = []

    def huge(replica):
        built.append(replica)
        return drawing_seed(replica)

    task, loud = independence(), Loud()
    monkeypatch.setattr("bimt_train.training._train.drawing_seed", huge)
    module = type(build_model(task.model))
    draw = module.__init__

    def spoiled(self, *given, **options):
        draw(self, *given, **options)
        if built and built[-1] == (0, 0):  # the first replica of seed 0, and no other
            for weight in self.parameters():
                weight.data.fill_(1e30)

    monkeypatch.setattr(module, "__init__", spoiled)
    runs = train(task, seeds=2, recipe=RESTARTED, callbacks=[loud]).runs
    assert loud.lost == []
    assert runs[0].diverged_at is None
    assert runs[0].checkpoint.config["replica"] != 0
    assert np.isfinite([h["train_loss"] for h in runs[0].history]).all()


def test_a_seed_all_of_whose_replicas_diverge_is_lost_once():
    loud = Loud()
    runs = train(independence(), seeds=1, recipe=replace(RESTARTED, lr=1e30), callbacks=[loud]).runs
    assert [seed for seed, _ in loud.lost] == [0]
    assert runs[0].diverged_at is not None


def test_snapshots_show_the_leader_and_end_with_the_network():
    shots = Snapshots()
    runs = train(independence(), seeds=2, recipe=RESTARTED, callbacks=[shots])
    last = shots.of(1)[-1].network.tensors
    assert all(np.array_equal(last[name], value) for name, value in tensors_of(runs.runs[1]).items())


def test_restarts_come_back_from_json_and_nonsense_is_refused():
    assert Recipe.from_json(RESTARTED.to_json()) == RESTARTED
    assert Recipe.from_json({k: v for k, v in PLAIN.to_json().items() if k != "restarts"}) == PLAIN
    for given in ({"replicas": 1}, {"until": 0.0}, {"until": 1.5}):
        with pytest.raises(InputError, match="restarts that cannot be made"):
            RandomRestarts(**given)
